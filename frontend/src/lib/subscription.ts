import type { SubscriptionPlan, SubscriptionStatus, UserSubscription } from "../types/billing";
import { now } from "./clock";

const ENDED: SubscriptionStatus[] = ["cancelled", "incomplete", "incomplete_expired"];

export const isFree = (plan: { price_cents: number }) => plan.price_cents === 0;

/** Whether there is something that renews or is owed: a paid plan, not a given one, that has neither ended nor failed to begin. */
export function isBilled(subscription: UserSubscription): boolean {
  return !subscription.given && !isFree(subscription.plan) && !ENDED.includes(subscription.status);
}

export function isRunning(subscription: UserSubscription): boolean {
  return subscription.status === "active" || subscription.status === "trialing";
}

export function isOverdue(subscription: UserSubscription): boolean {
  return isBilled(subscription) && (subscription.status === "past_due" || subscription.status === "unpaid");
}

export function isPaused(subscription: UserSubscription): boolean {
  return isBilled(subscription) && subscription.status === "paused";
}

/** Whether the plan's own limits hold at this moment. */
export function hasAccess(subscription: UserSubscription): boolean {
  if (isRunning(subscription)) return true;
  const grace = subscription.grace_period_end;
  return subscription.status === "past_due" && grace !== null && Date.parse(grace) > now();
}

/** Until when the plan's limits hold if the subscription is cancelled now. */
export function keepsUntil(subscription: UserSubscription): string {
  const { status, grace_period_end: grace, current_period_end: end } = subscription;
  return status === "past_due" && grace && Date.parse(grace) < Date.parse(end) ? grace : end;
}

export function freePlan(plans: SubscriptionPlan[]): SubscriptionPlan | undefined {
  return plans.find(isFree);
}

/** The plan whose card is the user's own: what is billed, or the free one once that has ended. */
export function ownPlan(
  subscription: UserSubscription | null | undefined,
  plans: SubscriptionPlan[],
): SubscriptionPlan | undefined {
  if (!subscription) return undefined;
  const ended = ENDED.includes(subscription.status);
  return ended ? (freePlan(plans) ?? subscription.plan) : subscription.plan;
}
