import { createInstance, type i18n, type TFunction } from "i18next";
import { createContext, useContext } from "react";

export const LANGUAGES = ["en", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Only the language that is shown is loaded. */
const LOADERS: Record<Language, () => Promise<{ default: object }>> = {
  en: () => import("./locales/en.json"),
  ja: () => import("./locales/ja.json"),
};

/** The language of our own texts for a language code such as `ja`, `en-gb` or `pt-br`; English where there is none. */
export function languageOf(code: string): Language {
  const base = code.toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.find((language) => language === base) ?? "en";
}

export async function loadTexts(code: string): Promise<object> {
  return (await LOADERS[languageOf(code)]()).default;
}

export function createI18n(code: string, texts: object): i18n {
  const language = languageOf(code);
  const instance = createInstance();
  instance.init({
    lng: language,
    fallbackLng: false,
    initAsync: false,
    interpolation: { escapeValue: false }, // React escapes
    resources: { [language]: { translation: texts } },
  });
  return instance;
}

export const TextsContext = createContext<i18n | null>(null);

/** The text of a key. Outside a BillingProvider the keys themselves, as a component alone has no language. */
export function useText(): TFunction {
  const texts = useContext(TextsContext) ?? fallback;
  return texts.t;
}

let fallback = createI18n("en", {});

/** What a component without a provider speaks: for tests and stories of single components. */
export function setFallbackTexts(texts: i18n): void {
  fallback = texts;
}
