import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBilling } from "../components/BillingProvider";
import { leaveFor } from "../lib/browser";
import { isApiError } from "../services/errors";
import type { PaymentTransaction, SubscriptionPlan, UserSubscription } from "../types/billing";
import { useAction } from "./useAction";

const KEYS = {
  all: ["videoq-billing"],
  plans: ["videoq-billing", "plans"],
  subscription: ["videoq-billing", "subscription"],
  usage: ["videoq-billing", "usage"],
  usageHistory: ["videoq-billing", "usage-history"],
  paymentMethod: ["videoq-billing", "payment-method"],
  history: ["videoq-billing", "history"],
  preview: ["videoq-billing", "preview"],
} as const;

const MINUTE = 60_000;
const NO_PLANS: SubscriptionPlan[] = [];
const NO_PAYMENTS: PaymentTransaction[] = [];

export interface SubscriptionOptions {
  /** How often to ask again, in milliseconds; `false` for not at all. */
  refetchInterval?: number | false;
}

/** The user's subscription (null where there is none yet) and what can be done with it. */
export function useSubscription({ refetchInterval = false }: SubscriptionOptions = {}) {
  const { service, config } = useBilling();
  const query = useQuery({
    queryKey: KEYS.subscription,
    queryFn: ({ signal }) => orNull("no_subscription", service.getSubscription(signal)),
    select: (found): UserSubscription | null => found && { ...found, given: config.planIsGiven === true },
    refetchInterval,
  });
  const client = useQueryClient();
  // Whoever is refused, as one who has subscribed in another tab, is shown what holds.
  const checkout = useAction(
    async (planId: number) => await leaveFor((await service.createCheckoutSession(planId)).checkout_url),
    () => client.invalidateQueries({ queryKey: KEYS.subscription }),
  );
  return {
    subscription: query.data,
    loading: query.isPending,
    error: query.error,
    refetch: query.refetch,
    /** Off to Stripe's page to pay on, for a first paid plan. */
    upgrade: checkout.run,
    checkout,
  };
}

export function usePlans() {
  const { service } = useBilling();
  const query = useQuery({
    queryKey: KEYS.plans,
    queryFn: ({ signal }) => service.getPlans(signal),
    staleTime: 10 * MINUTE,
  });
  return {
    plans: query.data ?? NO_PLANS,
    loading: query.isPending,
    error: query.error,
    refetch: query.refetch,
  };
}

/** Usage of the current period, read anew each minute and whenever the window is looked at again. */
export function useUsage() {
  const { service } = useBilling();
  const query = useQuery({
    queryKey: KEYS.usage,
    queryFn: ({ signal }) => orNull("no_usage", service.getUsage(signal)),
    refetchInterval: MINUTE,
    refetchOnWindowFocus: "always",
  });
  return { usage: query.data, loading: query.isPending, error: query.error, refetch: query.refetch };
}

export function useUsageHistory(limit = 12) {
  const { service } = useBilling();
  const query = useQuery({
    queryKey: [...KEYS.usageHistory, limit],
    queryFn: ({ signal }) => service.getUsageHistory(limit, signal),
    staleTime: 10 * MINUTE,
  });
  return { periods: query.data, loading: query.isPending, error: query.error, refetch: query.refetch };
}

/** One page of the payments; while another is on its way the present one stays. */
export function useBillingHistory(limit = 10, offset = 0) {
  const { service } = useBilling();
  const query = useQuery({
    queryKey: [...KEYS.history, limit, offset],
    queryFn: ({ signal }) => service.getHistory(limit, offset, signal),
    placeholderData: keepPreviousData,
  });
  return {
    transactions: query.data?.transactions ?? NO_PAYMENTS,
    total: query.data?.total ?? 0,
    loading: query.isPending,
    turning: query.isPlaceholderData,
    error: query.error,
    refetch: query.refetch,
  };
}

export function usePaymentMethod() {
  const { service } = useBilling();
  const query = useQuery({
    queryKey: KEYS.paymentMethod,
    queryFn: ({ signal }) => service.getPaymentMethod(signal),
  });
  return { card: query.data, loading: query.isPending, error: query.error, refetch: query.refetch };
}

/** What a change to this plan would do now. Asked anew each time: it costs what it costs at this moment. */
export function useChangePreview(planId: number) {
  const { service } = useBilling();
  const query = useQuery({
    queryKey: [...KEYS.preview, planId],
    queryFn: ({ signal }) => service.previewChange(planId, signal),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    retry: false,
  });
  return { preview: query.data, loading: query.isPending, error: query.error, refetch: query.refetch };
}

/** Change, cancel, keep: each answers the subscription as it is then, and everything else is read anew. */
export function useSubscriptionActions() {
  const { service } = useBilling();
  const client = useQueryClient();
  const accept = (subscription: UserSubscription) => {
    client.setQueryData(KEYS.subscription, subscription);
    return subscription;
  };
  // A failure may have changed something, too: a time-out does not say.
  const afterwards = () => client.invalidateQueries({ queryKey: KEYS.all, predicate: isNoPreview });
  return {
    change: useAction(async (planId: number) => accept(await service.changePlan(planId)), afterwards),
    cancel: useAction(async () => {
      const { message, ...subscription } = await service.cancelSubscription();
      return { message, subscription: accept(subscription) };
    }, afterwards),
    reactivate: useAction(async () => accept(await service.reactivateSubscription()), afterwards),
    sync: useAction(
      async (sessionId?: string | null) => accept(await service.syncSubscription(sessionId)),
      afterwards,
    ),
  };
}

/** Off to Stripe's portal: cards, invoices, addresses. */
export function usePortal() {
  const { service } = useBilling();
  return useAction(async () => await leaveFor((await service.openPortal()).portal_url));
}

function isNoPreview(query: { queryKey: readonly unknown[] }): boolean {
  return query.queryKey[1] !== KEYS.preview[1];
}

async function orNull<Answer>(code: string, answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (isApiError(error, code)) return null;
    throw error;
  }
}
