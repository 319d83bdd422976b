import type en from "./locales/en.json";

// The compiler knows every key. In a file of its own, so that the npm package says nothing of its host's texts.
declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}
