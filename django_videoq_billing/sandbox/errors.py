"""Stripe's errors: one exception, with named constructors that own the sentences."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    """An answer in Stripe's error shape; `extra` holds what a card error adds (decline_code, payment_intent...)."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int = 400,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.type = extra.pop("type", "invalid_request_error")
        self.extra = extra

    def payload(self, request_id: str) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code is not None:
            error |= {"code": self.code, "doc_url": DOCUMENTATION + self.code.replace("_", "-")}
        if self.param is not None:
            error["param"] = self.param
        error |= self.extra
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": error}

    @classmethod
    def missing(cls, noun: str, key: Any, param: str = "id", *, status: int = 404) -> StripeError:
        return cls(f"No such {noun}: '{key}'", code="resource_missing", param=param, status=status)

    @classmethod
    def required(cls, param: str) -> StripeError:
        return cls(f"Missing required param: {param}.", code="parameter_missing", param=param)

    @classmethod
    def unknown(cls, param: str) -> StripeError:
        return cls(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)

    @classmethod
    def empty(cls, param: str) -> StripeError:
        return cls(
            f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{param}' cannot be unset.",
            code="parameter_invalid_empty",
            param=param,
        )

    @classmethod
    def unauthorized(cls, message: str) -> StripeError:
        return cls(message, status=401)

    @classmethod
    def one_of(cls, *params: str) -> StripeError:
        return cls(f"You may only specify one of these parameters: {', '.join(params)}.", param=params[0])

    @classmethod
    def card(cls, message: str, *, code: str, decline_code: str | None, **extra: Any) -> StripeError:
        if decline_code is not None:
            extra["decline_code"] = decline_code
        return cls(message, code=code, status=402, type="card_error", **extra)

    @classmethod
    def idempotency(cls, key: str) -> StripeError:
        return cls(
            f"Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request.",
            type="idempotency_error",
        )

    @classmethod
    def in_progress(cls, key: str) -> StripeError:
        return cls(
            f"There is currently another in-progress request using this Idempotent Key '{key}'.",
            code="idempotency_key_in_use",
            status=409,
            type="idempotency_error",
        )
