import type { BillingConfig } from "../config";
import type {
  CancelledSubscription,
  ChangePreview,
  CheckoutSession,
  PaymentHistory,
  PaymentMethod,
  PortalSession,
  SubscriptionPlan,
  UsageRecord,
  UserSubscription,
} from "../types/billing";
import { createSend } from "./http";

export type BillingService = ReturnType<typeof createBillingService>;

/** The API as functions. Every failure is an `ApiError`. */
export function createBillingService(config: BillingConfig) {
  const send = createSend(config);
  const billingUrl = () => absolute(config.billingUrl ?? window.location.pathname);

  return {
    getPlans: (signal?: AbortSignal) => send<SubscriptionPlan[]>("billing/plans", { signal }),

    getSubscription: (signal?: AbortSignal) => send<UserSubscription>("billing/subscription", { signal }),

    /** To Stripe's page to pay on; it leads back to the success page, or here. */
    createCheckoutSession: (planId: number) =>
      send<CheckoutSession>("billing/subscription/checkout", {
        method: "POST",
        body: {
          plan_id: planId,
          success_url: config.successUrl ? withSession(absolute(config.successUrl)) : undefined,
          cancel_url: withParameter(billingUrl(), "checkout=cancelled"),
        },
      }),

    previewChange: (planId: number, signal?: AbortSignal) =>
      send<ChangePreview>(`billing/subscription/preview?plan_id=${planId}`, { signal }),

    changePlan: (planId: number) =>
      send<UserSubscription>("billing/subscription/change", { method: "POST", body: { plan_id: planId } }),

    cancelSubscription: () => send<CancelledSubscription>("billing/subscription/cancel", { method: "POST" }),

    reactivateSubscription: () =>
      send<UserSubscription>("billing/subscription/reactivate", { method: "POST" }),

    /** Read the subscription afresh from Stripe; with a checkout's session only where that is the user's own. */
    syncSubscription: (sessionId?: string | null) =>
      send<UserSubscription>("billing/subscription/sync", {
        method: "POST",
        body: sessionId ? { session_id: sessionId } : {},
      }),

    openPortal: () =>
      send<PortalSession>("billing/portal", {
        method: "POST",
        body: { return_url: withParameter(billingUrl(), "from=portal") },
      }),

    getPaymentMethod: (signal?: AbortSignal) => send<PaymentMethod>("billing/payment-method", { signal }),

    getUsage: (signal?: AbortSignal) => send<UsageRecord>("billing/usage", { signal }),

    getUsageHistory: (limit = 12, signal?: AbortSignal) =>
      send<UsageRecord[]>(`billing/usage/history?limit=${limit}`, { signal }),

    getHistory: (limit: number, offset: number, signal?: AbortSignal) =>
      send<PaymentHistory>(`billing/history?limit=${limit}&offset=${offset}`, { signal }),
  };
}

function absolute(path: string): string {
  return new URL(path, window.location.origin).href;
}

function withParameter(url: string, parameter: string): string {
  return url + (url.includes("?") ? "&" : "?") + parameter;
}

/** The braces must stay as they are: Stripe puts the session's id in their place. */
function withSession(url: string): string {
  return withParameter(url, "session_id={CHECKOUT_SESSION_ID}");
}
