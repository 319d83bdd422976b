import type { BillingConfig } from "../config";
import { ApiError } from "./errors";

const TIMEOUT_MS = 40_000; // longer than the API waits for Stripe

export interface RequestOptions {
  method?: "GET" | "POST";
  body?: object | undefined;
  signal?: AbortSignal | undefined;
}

export type Send = <Answer>(path: string, options?: RequestOptions) => Promise<Answer>;

/** One way to the API: headers, JSON, a time limit, and every failure as an ApiError. */
export function createSend(config: BillingConfig): Send {
  return async <Answer>(path: string, { method = "GET", body, signal }: RequestOptions = {}) => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    try {
      response = await fetch(config.apiUrl + path, {
        method,
        headers: await headersFor(config, method),
        credentials: "same-origin",
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        ...(method === "POST" ? { body: JSON.stringify(body ?? {}) } : {}),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(timeout.aborted ? "timeout" : "network", "");
    }
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) throw refusal(response, answer);
    if (answer === null) throw new ApiError("unexpected", "", response.status);
    return answer as Answer;
  };
}

async function headersFor(config: BillingConfig, method: string): Promise<Record<string, string>> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (config.language) headers["Accept-Language"] = config.language;
  const token = await config.getToken?.();
  if (token) headers.Authorization = token;
  if (method === "POST") {
    headers["Content-Type"] = "application/json";
    const csrf = config.csrfToken || csrfCookie();
    if (csrf) headers[config.csrfHeaderName ?? "X-CSRFToken"] = csrf;
  }
  return headers;
}

/** Django's, for hosts whose pages are not Django's. */
function csrfCookie(): string | undefined {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1];
}

function refusal(response: Response, answer: unknown): ApiError {
  const body = isObject(answer) ? answer : {};
  const code = typeof body.error === "string" ? body.error : "unexpected";
  const message = typeof body.message === "string" ? body.message : "";
  const details = isObject(body.details) ? body.details : null;
  return new ApiError(
    code,
    message,
    response.status,
    details,
    secondsOf(response.headers.get("Retry-After")),
  );
}

function secondsOf(header: string | null): number | null {
  return header && /^\d+$/.test(header) ? Number(header) : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
