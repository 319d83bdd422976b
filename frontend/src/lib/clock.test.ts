import { afterEach, expect, it } from "vitest";
import { followClock, now } from "./clock";

afterEach(() => followClock(undefined));

it("is the server's time where that is known", () => {
  followClock("2031-05-06T07:08:09Z");
  expect(new Date(now()).toISOString()).toMatch(/^2031-05-06T07:08:/);
});

it.each([undefined, "", "soon"])("is the browser's own otherwise: %s", (given) => {
  followClock("2031-05-06T07:08:09Z");
  followClock(given);
  expect(Math.abs(now() - Date.now())).toBeLessThan(1000);
});
