/** What the page that embeds the front end tells it. Nothing in it is secret. */
export interface BillingConfig {
  /** The root of the API, with a slash at its end: `billing/plans` and so on are appended. */
  apiUrl: string;
  /** As Django's LANGUAGE_CODE: `en`, `en-gb`, `ja`. */
  language?: string;
  /** An IANA name. Dates are shown in it. */
  timeZone?: string;
  /** Where this page is, and the page after a checkout: paths or addresses of this site. */
  billingUrl?: string;
  successUrl?: string;
  /** The login page; `?next=` with the present address is appended. */
  loginUrl?: string | null;
  /** The server's time when it made the page, in ISO 8601; the visitor's own clock is used without it. */
  now?: string;
  /** The user's plan was given to them, and nobody is billed for it: there is nothing to cancel. */
  planIsGiven?: boolean;
  /** Without it the cookie `csrftoken` is sent. */
  csrfToken?: string;
  csrfHeaderName?: string;
  /** The value of the Authorization header for hosts with tokens, such as `Token abc`. */
  getToken?: () => string | null | Promise<string | null>;
}

export interface PageConfig extends BillingConfig {
  page?: "billing" | "success";
  siteName?: string;
}

export function readPageConfig(element: Element | null): PageConfig {
  if (!element?.textContent) throw new Error("videoq-billing-config is missing");
  return JSON.parse(element.textContent) as PageConfig;
}
