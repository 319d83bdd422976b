let ahead = 0;

/** Makes "now" the server's: a visitor's clock may be wrong, and a demonstration lives at a time of its own. */
export function followClock(serverNow: string | undefined): void {
  const moment = Date.parse(serverNow ?? "");
  ahead = Number.isNaN(moment) ? 0 : moment - Date.now();
}

export function now(): number {
  return Date.now() + ahead;
}
