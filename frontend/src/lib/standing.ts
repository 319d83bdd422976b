import type { TFunction } from "i18next";
import type { UserSubscription } from "../types/billing";
import type { Formats } from "./format";
import { hasAccess, isBilled, isFree, isOverdue } from "./subscription";

export type Level = "good" | "info" | "warn" | "bad" | "plain";

/** A subscription in words: what holds now, and what will happen when. */
export interface Standing {
  badge: string;
  level: Level;
  sentences: string[];
}

export function standingOf(
  subscription: UserSubscription,
  free: string,
  t: TFunction,
  formats: Formats,
): Standing {
  const { badge, level, sentences } = now(subscription, free, t, formats);
  return { badge, level, sentences: [...sentences, ...later(subscription, free, t, formats)] };
}

function now(subscription: UserSubscription, free: string, t: TFunction, formats: Formats): Standing {
  const ending = isBilled(subscription) && subscription.cancel_at_period_end;
  switch (subscription.status) {
    case "active":
      if (isFree(subscription.plan)) return say("good", t("status.active"), t("standing.free"));
      if (subscription.given) return say("good", t("status.active"), t("standing.given"));
      if (ending) return say("warn", t("status.ending"));
      if (subscription.pending_plan) return say("good", t("status.active"));
      return say(
        "good",
        t("status.active"),
        t("standing.renews", { date: formats.day(subscription.current_period_end) }),
      );
    case "trialing": {
      if (ending) return say("warn", t("status.trialEnding"));
      const date = formats.day(subscription.trial_end ?? subscription.current_period_end);
      return say("info", t("status.trialing"), t("standing.trial", { date }));
    }
    case "past_due":
      return say("bad", t("status.past_due"), t("standing.pastDue"), grace(subscription, free, t, formats));
    case "unpaid":
      return say("bad", t("status.unpaid"), t("standing.unpaid", { free }));
    case "paused":
      return say("warn", t("status.paused"), t("standing.paused", { free }));
    case "incomplete":
    case "incomplete_expired":
      return say("warn", t(`status.${subscription.status}`), t("standing.incomplete"));
    case "cancelled":
      return say("plain", t("status.cancelled"), t("standing.cancelled", { free }));
  }
}

function grace(subscription: UserSubscription, free: string, t: TFunction, formats: Formats): string {
  if (!subscription.grace_period_end || !hasAccess(subscription)) return t("standing.graceOver", { free });
  const date = formats.day(subscription.grace_period_end);
  return t("standing.graceLeft", { plan: subscription.plan.name, date, free });
}

function later(subscription: UserSubscription, free: string, t: TFunction, formats: Formats): string[] {
  const sentences: string[] = [];
  if (isBilled(subscription) && subscription.cancel_at_period_end) {
    sentences.push(t("standing.ends", { date: formats.day(subscription.current_period_end), free }));
    sentences.push(isOverdue(subscription) ? t("standing.openOnly") : t("standing.nothingMore"));
  }
  if (subscription.pending_plan && subscription.pending_plan_effective_at) {
    const date = formats.day(subscription.pending_plan_effective_at);
    sentences.push(t("standing.changes", { date, plan: subscription.pending_plan.name }));
  }
  return sentences;
}

function say(level: Level, badge: string, ...sentences: string[]): Standing {
  return { level, badge, sentences };
}
