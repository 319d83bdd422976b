import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BillingProvider } from "./components/BillingProvider";
import { type PageConfig, readPageConfig } from "./config";
import { languageOf, loadTexts } from "./i18n";
import { BillingPage } from "./pages/BillingPage";
import { CheckoutSuccessPage } from "./pages/CheckoutSuccessPage";

/** Puts the page that Django has described into its element. */
export async function start(root: HTMLElement, config: PageConfig): Promise<void> {
  const language = config.language ?? "en";
  const texts = await loadTexts(language);
  root.classList.add("vqb");
  root.lang = languageOf(language);
  createRoot(root).render(
    <StrictMode>
      <BillingProvider config={config} texts={texts} root={root}>
        {config.page === "success" ? <CheckoutSuccessPage /> : <BillingPage />}
      </BillingProvider>
    </StrictMode>,
  );
}

declare global {
  interface Window {
    /** Set by a script of the host's before ours, where the endpoints know users by tokens and not by the session. */
    videoqBilling?: Pick<PageConfig, "getToken">;
  }
}

export function startPage(): Promise<void> | undefined {
  const root = document.getElementById("videoq-billing");
  if (!root) return undefined;
  const config = readPageConfig(document.getElementById("videoq-billing-config"));
  const { getToken } = window.videoqBilling ?? {};
  return start(root, getToken ? { ...config, getToken } : config);
}
