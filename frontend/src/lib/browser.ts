import { ApiError, isWebAddress } from "../services/errors";

/** Leave for another page, such as Stripe's. Settles only if the user comes back to this page as it was. */
export function leaveFor(url: string): Promise<void> {
  if (!isWebAddress(url)) throw new ApiError("redirect", "");
  const back = new Promise<void>((resolve) => {
    window.addEventListener("pageshow", () => resolve(), { once: true });
  });
  window.location.assign(url);
  return back;
}

/** The login page that comes back here. */
export function loginAddress(loginUrl: string): string {
  const here = window.location.pathname + window.location.search;
  return `${loginUrl}${loginUrl.includes("?") ? "&" : "?"}next=${encodeURIComponent(here)}`;
}

/** A parameter of the page's address, which is then without it, so that a reload does not repeat what it says. */
export function takeParameter(name: string): string | null {
  const url = new URL(window.location.href);
  const value = url.searchParams.get(name);
  if (value !== null) {
    url.searchParams.delete(name);
    window.history.replaceState(window.history.state, "", url);
  }
  return value;
}
