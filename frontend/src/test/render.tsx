import type { QueryClient } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import type { ReactNode } from "react";
import { expect } from "vitest";
import { BillingProvider, createQueryClient } from "../components/BillingProvider";
import { NoticePlace } from "../components/Notices";
import type { BillingConfig } from "../config";
import en from "../i18n/locales/en.json";
import { fakeApi, ok } from "./api";
import { CARD, PLANS, payment, subscription, usage } from "./data";

export const CONFIG: BillingConfig = {
  apiUrl: "/api/",
  language: "en",
  timeZone: "UTC",
  billingUrl: "/billing/",
  successUrl: "/billing/success/",
  loginUrl: "/login/",
  csrfToken: "csrf",
  csrfHeaderName: "X-CSRFToken",
};

/** An API where all is well, but for what a test says. */
export function wellApi(answers: Parameters<typeof fakeApi>[0] = {}) {
  return fakeApi({
    "GET billing/plans": ok(PLANS),
    "GET billing/subscription": ok(subscription()),
    "GET billing/usage": ok(usage()),
    "GET billing/usage/history": ok([]),
    "GET billing/payment-method": ok(CARD),
    "GET billing/history": ok({ total: 1, transactions: [payment()] }),
    ...answers,
  });
}

interface Options {
  config?: Partial<BillingConfig>;
  texts?: object;
}

export function show(children: ReactNode, { config = {}, texts = en }: Options = {}) {
  const client: QueryClient = createQueryClient();
  client.setDefaultOptions({ queries: { ...client.getDefaultOptions().queries, retryDelay: 1 } });
  const shown = render(
    <BillingProvider config={{ ...CONFIG, ...config }} texts={texts} queryClient={client}>
      <NoticePlace />
      {children}
    </BillingProvider>,
  );
  return { ...shown, user: userEvent.setup() };
}

/** Nothing that axe finds wrong; colours need a real browser, and the rest of the page is a host's. */
export async function expectAccessible(element: Element = document.body): Promise<void> {
  const { violations } = await axe.run(element, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}
