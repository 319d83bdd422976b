import { languageOf } from "../i18n";

/** The minor units of Stripe's currencies, as in the package's money.py. ISO 4217 alone differs for some. */
const DECIMALS: Record<string, number> = {
  ...Object.fromEntries(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(" ").map((code) => [code, 0]),
  ),
  ...Object.fromEntries("BHD IQD JOD KWD LYD OMR TND".split(" ").map((code) => [code, 3])),
};

export interface Formats {
  locale: string;
  money: (minorUnits: number, currency: string) => string;
  number: (value: number) => string;
  /** "November 26, 2026" */
  day: (moment: string) => string;
  /** "Nov 26" */
  shortDay: (moment: string) => string;
  /** "Nov 26, 2026" */
  date: (moment: string) => string;
  /** "Nov" */
  month: (moment: string) => string;
  /** "N", or "11" where months have numbers: twelve of them fit beside each other on a phone. */
  letter: (moment: string) => string;
  /** "Nov 26, 2026, 10:00 AM" */
  time: (moment: string) => string;
}

export function createFormats(language: string, timeZone?: string): Formats {
  const locale = knownLocale(language);
  const zone = knownZone(timeZone);
  const dates = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, zone ? { ...options, timeZone: zone } : options);
    return (moment: string) => format.format(new Date(moment));
  };
  const letter = dates({ month: "narrow" });
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  return {
    locale,
    money: (amount, currency) => money(locale, amount, currency),
    number: (value) => numbers.format(value),
    day: dates({ dateStyle: "long" }),
    date: dates({ dateStyle: "medium" }),
    shortDay: dates({ month: "short", day: "numeric" }),
    month: dates({ month: "short" }),
    letter: (moment) => letter(moment).replace("月", ""),
    time: dates({ dateStyle: "medium", timeStyle: "short" }),
  };
}

function money(locale: string, amount: number, currency: string): string {
  const code = currency.toUpperCase();
  const value = amount / 10 ** (DECIMALS[code] ?? 2);
  const usual = new Intl.NumberFormat(locale, { style: "currency", currency: code });
  const digits = usual.resolvedOptions().maximumFractionDigits ?? 2;
  if (Number(value.toFixed(digits)) === value) return usual.format(value);
  // Never round a part of the amount away.
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency: code,
    minimumFractionDigits: DECIMALS[code] ?? 2,
  }).format(value);
}

/** The host's locale where our texts have its language; English dates in English texts otherwise. */
function knownLocale(language: string): string {
  const ours = languageOf(language);
  try {
    const [locale] = Intl.getCanonicalLocales(language.replace("_", "-"));
    return locale?.toLowerCase().startsWith(ours) ? locale : ours;
  } catch {
    return ours;
  }
}

function knownZone(timeZone: string | undefined): string | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return timeZone;
  } catch {
    return undefined;
  }
}
