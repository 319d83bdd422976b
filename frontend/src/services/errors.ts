import type { ErrorBody } from "../types/billing";

/** Codes of our own for what never reached the API, beside those of docs/errors.md. */
export type LocalCode = "network" | "timeout" | "unexpected" | "redirect";

/** A refusal. `message` is the API's own sentence for people, or "" where only the code says what happened. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly code: string,
    message: string,
    readonly status = 0,
    readonly details: ErrorBody["details"] = null,
    /** Seconds, where the API said when to come back. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  get reason(): string | null {
    return text(this.details?.reason);
  }

  /** Stripe's page to confirm a payment on, where the bank wants that. */
  get paymentUrl(): string | null {
    const url = text(this.details?.payment_url);
    return this.reason === "authentication_required" && url && isWebAddress(url) ? url : null;
  }
}

export function isApiError(error: unknown, code?: string): error is ApiError {
  return error instanceof ApiError && (code === undefined || error.code === code);
}

/** Whether a link may lead there: no `javascript:` and the like, whoever sent it. */
export function isWebAddress(url: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(url);
}

function text(value: unknown): string | null {
  return typeof value === "string" && value ? value : null;
}
