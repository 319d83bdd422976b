"""A kit that cannot help says why, and what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest, HttpResponse

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import WebhookEvent
from django_videoq_billing.services.entitlements import ensure_subscription
from django_videoq_billing.testing import BillingSandbox, SandboxError, factories, process
from django_videoq_billing.testing.surroundings import refuse_live_keys
from django_videoq_billing.webhooks import registry

Move = Callable[..., Any]


class NoBilling:
    urlpatterns: list[Any] = []


class NoMailServer(BaseEmailBackend):
    def open(self) -> bool:
        raise OSError("Nobody listens.")


class Closed:
    """A site whose middleware lets nobody in."""

    def __init__(self, get_response: Any) -> None:
        pass

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("Sign in first.", status=403)


@pytest.mark.parametrize("name", ["STRIPE_SECRET_KEY", "STRIPE_LIVE_SECRET_KEY"])
def test_a_live_key_is_refused(settings: Any, name: str, db: None) -> None:
    if name == "STRIPE_SECRET_KEY":
        settings.VIDEOQ_BILLING = {"STRIPE_SECRET_KEY": "sk_live_0123456789"}
    else:
        settings.STRIPE_LIVE_SECRET_KEY = "sk_live_0123456789"

    with pytest.raises(SandboxError, match=f"{name}.* is a live key") as refused, BillingSandbox():
        pass

    assert "0123456789" not in str(refused.value)


def test_test_keys_are_fine(settings: Any) -> None:
    settings.STRIPE_LIVE_SECRET_KEY = None
    refuse_live_keys()


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PARTS", ("json", "not_installed_here"))
    with pytest.raises(
        SandboxError, match=r"django-videoq-billing\[testing\].*\(not_installed_here missing\)"
    ):
        process.SandboxProcess()


def test_the_sandboxs_own_words_are_shown_where_it_does_not_start() -> None:
    with pytest.raises(SandboxError, match="loopback only"):
        process.SandboxProcess("--host", "0.0.0.0")  # noqa: S104 - refused


def test_a_project_without_the_urls_is_told_to_include_them(
    billing_sandbox: BillingSandbox, settings: Any
) -> None:
    settings.ROOT_URLCONF = NoBilling
    with pytest.raises(SandboxError, match=r"include\(\"django_videoq_billing.urls\"\)"):
        billing_sandbox.deliver_webhooks()


def test_a_middleware_that_keeps_stripe_out_is_shown(subscribed_user: Move, settings: Any) -> None:
    settings.MIDDLEWARE = [f"{__name__}.Closed", *settings.MIDDLEWARE]
    with pytest.raises(SandboxError, match=r"answered 403 to .*Sign in first"):
        subscribed_user(plan="standard")


def test_a_site_that_demands_https_gets_it(subscribed_user: Move, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", *settings.MIDDLEWARE]
    assert subscribed_user(plan="standard").subscription.status == "active"


def test_an_error_in_a_handler_of_the_host_is_raised(
    subscribed_user: Move, billing_sandbox: BillingSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(event: WebhookEvent) -> None:
        raise ZeroDivisionError("a bug of the host")

    monkeypatch.setattr(registry, "_handlers", {**registry._handlers, "customer.created": [broken]})

    with pytest.raises(
        SandboxError, match=r"customer\.created could not be processed: .*a bug of the host"
    ) as raised:
        subscribed_user(plan="standard")

    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert WebhookEvent.objects.get(type="customer.created").state == "failed"


def test_an_email_that_cannot_be_sent_is_raised(
    subscribed_user: Move, billing_sandbox: BillingSandbox, settings: Any
) -> None:
    user = subscribed_user(plan="standard")
    settings.EMAIL_BACKEND = f"{__name__}.NoMailServer"
    billing_sandbox.fail_next_payment(user)
    with pytest.raises(
        SandboxError, match=r"e-mail payment_failed could not be sent: OSError: Nobody listens"
    ):
        billing_sandbox.renew(user)
    assert billing_sandbox.deliver_webhooks() == [], "nothing was tried again yet"
    billing_sandbox.advance(hours=1)
    with pytest.raises(SandboxError, match="payment_failed could not be sent"):
        billing_sandbox.run_billing_jobs(["send_notifications"])
    billing_sandbox.deliver_webhooks(check=False)


def test_an_outage_may_be_looked_at(subscribed_user: Move, billing_sandbox: BillingSandbox) -> None:
    user = subscribed_user(plan="standard")
    billing_sandbox.advance(days=31)
    billing_sandbox.control("outage", mode="503", requests=1000)
    billing_sandbox.deliver_webhooks(check=False)
    assert WebhookEvent.objects.filter(state="failed").exists()

    billing_sandbox.control("outage", requests=0)
    billing_sandbox.advance(hours=1)
    billing_sandbox.run_billing_jobs(["process_webhooks"])

    assert not WebhookEvent.objects.filter(state="failed").exists()
    assert billing_sandbox.subscription_of(user).status == "active"


def test_who_is_no_customer_cannot_fail_to_pay(billing_sandbox: BillingSandbox, user: User) -> None:
    with pytest.raises(SandboxError, match="no customer of Stripe"):
        billing_sandbox.fail_next_payment(user)
    with pytest.raises(SandboxError, match="No checkout page was opened"):
        billing_sandbox.pay_checkout(user)


def test_unknown_names_are_named(billing_sandbox: BillingSandbox, subscribed_user: Move) -> None:
    with pytest.raises(SandboxError, match=r"There is no plan 'pro'\. Plans: free, standard, premium"):
        subscribed_user(plan="pro")
    with pytest.raises(SandboxError, match=r"no job tidy_up\. Jobs: .*process_webhooks"):
        billing_sandbox.run_billing_jobs(["tidy_up"])
    with pytest.raises(SandboxError, match="404 to customers/cus_nobody/fail_next"):
        billing_sandbox.control("customers/cus_nobody/fail_next")


def test_a_job_that_fails_is_raised(billing_sandbox: BillingSandbox) -> None:
    billing_sandbox.control("outage", mode="500", requests=1000)
    with pytest.raises(SandboxError, match=r"The job .* failed: "):
        billing_sandbox.run_billing_jobs(["fetch_missed_events"])


def test_a_user_model_that_wants_more_is_named(db: None) -> None:
    with pytest.raises(SandboxError, match=r"User cannot be made from .*favourite_colour"):
        factories.make_user(favourite_colour="blue")


def test_everything_leads_to_this_machine(
    billing_sandbox: BillingSandbox, monkeypatch: pytest.MonkeyPatch, subscribed_user: Move
) -> None:
    """Also what the host asks for by itself, and where a proxy is set."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    asked: list[str] = []
    send = requests.Session.send

    def noting(self: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        asked.append(str(request.url))
        return send(self, request, **kwargs)

    monkeypatch.setattr(requests.Session, "send", noting)
    subscribed_user(plan="standard")
    stripe.Customer.list(api_key=get_settings().STRIPE_SECRET_KEY)

    assert asked
    assert {url for url in asked if not url.startswith(billing_sandbox.url)} == set()


def test_everything_is_as_before_afterwards(db: None) -> None:
    def around() -> tuple[Any, ...]:
        return django_settings.VIDEOQ_BILLING, get_settings(), stripe.api_base, os.environ.get("NO_PROXY")

    before = around()
    with BillingSandbox() as billing:
        assert billing.url == get_settings().STRIPE_API_BASE
        ensure_subscription(factories.make_user())
    assert around() == before
