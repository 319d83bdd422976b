import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { createI18n, setFallbackTexts } from "../i18n";
import en from "../i18n/locales/en.json";

setFallbackTexts(createI18n("en", en));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  window.history.replaceState(null, "", "/");
});
