import { createFormats } from "./format";

describe("amounts", () => {
  it.each([
    ["en", 1200, "USD", "$12.00"],
    ["en", -720, "usd", "-$7.20"],
    ["en", 1480, "JPY", "¥1,480"],
    ["ja", 1480, "JPY", "￥1,480"],
    ["en", 1234, "KWD", "KWD 1.234"],
    // ISO 4217 has no decimals for these two, Stripe has two: nothing of the amount may go.
    ["en", 1250, "ISK", "ISK 12.50"],
    ["en", 1200, "UGX", "UGX 12"],
  ])("%s %i %s is %s", (language, amount, currency, expected) => {
    expect(
      createFormats(language, "UTC")
        .money(amount, currency)
        .replace(/\u00a0/g, " "),
    ).toBe(expected);
  });
});

describe("dates", () => {
  it("are those of the time zone that was configured", () => {
    const moment = "2026-11-30T20:00:00Z";
    expect(createFormats("en", "UTC").day(moment)).toBe("November 30, 2026");
    expect(createFormats("en", "Asia/Tokyo").day(moment)).toBe("December 1, 2026");
    expect(createFormats("ja", "Asia/Tokyo").day(moment)).toBe("2026年12月1日");
  });

  it("follow the host's country, and English texts have English dates", () => {
    const moment = "2026-11-30T20:00:00Z";
    expect(createFormats("en-gb", "UTC").day(moment)).toBe("30 November 2026");
    expect(createFormats("fr", "UTC").day(moment)).toBe("November 30, 2026");
  });

  it("survive a language and a time zone that nobody knows", () => {
    expect(createFormats("!", "Mars/Olympus").locale).toBe("en");
  });
});
