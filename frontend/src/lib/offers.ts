import type { SubscriptionPlan, UserSubscription } from "../types/billing";
import { isBilled, isFree, isPaused, isRunning, ownPlan } from "./subscription";

/** What the button on a plan's card does. "none": nothing can be done with it now, "blocked" tells why. */
export type OfferAction = "checkout" | "change" | "cancel" | "keep" | "reactivate" | "none";

export interface Offer {
  plan: SubscriptionPlan;
  isCurrent: boolean;
  action: OfferAction;
  /** When this plan begins, or, for the present one, ends. */
  from: string | null;
  until: string | null;
  blocked: "payment" | "paused" | null;
}

export function offersFor(
  plans: SubscriptionPlan[],
  subscription: UserSubscription | null | undefined,
): Offer[] {
  const own = ownPlan(subscription, plans);
  return plans.map((plan) => {
    const isCurrent = plan.id === own?.id;
    const action = actionFor(plan, isCurrent, subscription);
    return {
      plan,
      isCurrent,
      action,
      from: isCurrent ? null : beginning(plan, subscription),
      until: isCurrent ? ending(subscription) : null,
      blocked: isCurrent || action !== "none" ? null : obstacle(plan, subscription),
    };
  });
}

function actionFor(
  plan: SubscriptionPlan,
  isCurrent: boolean,
  subscription: UserSubscription | null | undefined,
): OfferAction {
  if (!subscription || !isBilled(subscription)) return isCurrent || isFree(plan) ? "none" : "checkout";
  if (isCurrent) {
    if (subscription.cancel_at_period_end) return "reactivate";
    return subscription.pending_plan ? "keep" : "none";
  }
  if (isFree(plan)) return subscription.cancel_at_period_end ? "none" : "cancel";
  if (plan.id === subscription.pending_plan?.id || !isRunning(subscription)) return "none";
  return "change";
}

function beginning(plan: SubscriptionPlan, subscription: UserSubscription | null | undefined): string | null {
  if (!subscription || !isBilled(subscription)) return null;
  if (plan.id === subscription.pending_plan?.id) return subscription.pending_plan_effective_at;
  return isFree(plan) && subscription.cancel_at_period_end ? subscription.current_period_end : null;
}

function ending(subscription: UserSubscription | null | undefined): string | null {
  if (!subscription || !isBilled(subscription)) return null;
  if (subscription.cancel_at_period_end) return subscription.current_period_end;
  return subscription.pending_plan ? subscription.pending_plan_effective_at : null;
}

function obstacle(
  plan: SubscriptionPlan,
  subscription: UserSubscription | null | undefined,
): Offer["blocked"] {
  if (!subscription || !isBilled(subscription) || isFree(plan) || isRunning(subscription)) return null;
  return isPaused(subscription) ? "paused" : "payment";
}
