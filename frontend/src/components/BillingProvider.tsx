import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { i18n } from "i18next";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import type { BillingConfig } from "../config";
import { createI18n, languageOf, loadTexts, TextsContext } from "../i18n";
import { followClock } from "../lib/clock";
import { cn } from "../lib/cn";
import { createFormats, type Formats } from "../lib/format";
import { type BillingService, createBillingService } from "../services/billing";
import { isApiError } from "../services/errors";
import { NoticesProvider } from "./Notices";

interface Billing {
  config: BillingConfig;
  service: BillingService;
  formats: Formats;
  /** Where dialogs are put: inside the scope of the styles. */
  root: HTMLElement | null;
}

const BillingContext = createContext<Billing | null>(null);

export function useBilling(): Billing {
  const billing = useContext(BillingContext);
  if (!billing) throw new Error("Billing components need a <BillingProvider> above them.");
  return billing;
}

export interface BillingProviderProps {
  config: BillingConfig;
  /** The texts, where the host has loaded them already; otherwise they are loaded for `config.language`. */
  texts?: object;
  queryClient?: QueryClient;
  /** The element that has the class `vqb` already; without it the provider makes one. */
  root?: HTMLElement;
  className?: string;
  children: ReactNode;
}

export function BillingProvider({
  config,
  texts,
  queryClient,
  root,
  className,
  children,
}: BillingProviderProps) {
  const [own, setOwn] = useState<HTMLElement | null>(null);
  useState(() => followClock(config.now));
  const language = config.language ?? "en";
  const instance = useTexts(language, texts);
  const [client] = useState(() => queryClient ?? createQueryClient());
  const service = useMemo(() => createBillingService(config), [config]);
  const formats = useMemo(() => createFormats(language, config.timeZone), [language, config.timeZone]);
  const billing = useMemo(
    () => ({ config, service, formats, root: root ?? own }),
    [config, service, formats, root, own],
  );
  const inside = instance && (
    <TextsContext value={instance}>
      <QueryClientProvider client={client}>
        <BillingContext value={billing}>
          <NoticesProvider>{children}</NoticesProvider>
        </BillingContext>
      </QueryClientProvider>
    </TextsContext>
  );
  if (root) return inside;
  return (
    <div ref={setOwn} className={cn("vqb", className)} lang={languageOf(language)}>
      {inside}
    </div>
  );
}

function useTexts(language: string, given: object | undefined): i18n | null {
  const [loaded, setLoaded] = useState<{ language: string; texts: object } | null>(null);
  const texts = given ?? (loaded?.language === language ? loaded.texts : undefined);
  useEffect(() => {
    if (given) return;
    let wanted = true;
    loadTexts(language).then((found) => wanted && setLoaded({ language, texts: found }));
    return () => {
      wanted = false;
    };
  }, [language, given]);
  return useMemo(() => (texts ? createI18n(language, texts) : null), [language, texts]);
}

/** Tries again what a network or a restart lost; never what the API refused. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        retry: (failures, error) =>
          failures < 2 && isApiError(error) && (error.status === 0 || error.status >= 500),
        retryDelay: (attempt) => 800 * 2 ** attempt,
      },
      mutations: { retry: false },
    },
  });
}
