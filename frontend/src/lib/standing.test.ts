import { createI18n } from "../i18n";
import en from "../i18n/locales/en.json";
import { FREE, PREMIUM, subscription } from "../test/data";
import type { UserSubscription } from "../types/billing";
import { createFormats } from "./format";
import { standingOf } from "./standing";

const { t } = createI18n("en", en);
const formats = createFormats("en", "UTC");
const tell = (changes: Partial<UserSubscription>) => {
  const { badge, sentences } = standingOf(subscription(changes), "Free", t, formats);
  return [badge, ...sentences].join(" | ");
};

describe("a subscription in words", () => {
  const soon = new Date(Date.now() + 86_400_000).toISOString();

  it.each<[string, Partial<UserSubscription>, string]>([
    ["active", {}, "Active | It renews on December 1, 2026."],
    ["free", { plan: FREE }, "Active | Nothing is charged."],
    ["given", { given: true }, "Active | This plan was given to you; nothing is charged."],
    [
      "trialing",
      { status: "trialing", trial_end: "2026-11-20T00:00:00Z" },
      "Trial | Your trial is free until November 20, 2026; then it is paid for.",
    ],
    [
      "a trial that was cancelled",
      { status: "trialing", cancel_at_period_end: true },
      "Trial, ending | It is cancelled and ends on December 1, 2026; then you are on Free. | Nothing more is charged.",
    ],
    [
      "cancelled for the end of the period",
      { cancel_at_period_end: true },
      "Ending | It is cancelled and ends on December 1, 2026; then you are on Free. | Nothing more is charged.",
    ],
    [
      "a change to come",
      { pending_plan: PREMIUM, pending_plan_effective_at: "2026-12-01T00:00:00Z" },
      "Active | On December 1, 2026 it changes to Premium.",
    ],
    [
      "past due, its grace over",
      { status: "past_due", grace_period_end: "2020-01-01T00:00:00Z" },
      "Payment overdue | The last payment failed; the card will be tried again. You can update your card now. | Until it is paid, the limits of Free apply.",
    ],
    [
      "unpaid and cancelled",
      { status: "unpaid", cancel_at_period_end: true },
      "Unpaid | The payment failed every time it was tried. Until it is paid, the limits of Free apply. | It is cancelled and ends on December 1, 2026; then you are on Free. | Only the payment that is open may still be charged.",
    ],
    [
      "paused",
      { status: "paused" },
      "Paused | Your subscription is paused. Until it is resumed, the limits of Free apply.",
    ],
    [
      "incomplete",
      { status: "incomplete" },
      "Payment not finished | Your first payment was not finished. Nothing was charged; you can choose a plan again.",
    ],
    [
      "expired",
      { status: "incomplete_expired" },
      "Payment not finished | Your first payment was not finished. Nothing was charged; you can choose a plan again.",
    ],
    [
      "ended",
      { status: "cancelled" },
      "Ended | Your paid subscription has ended. You are on Free now and can choose a plan at any time.",
    ],
  ])("%s", (_name, changes, words) => {
    expect(tell(changes)).toBe(words);
  });

  it("past due keeps the plan until the grace ends", () => {
    expect(tell({ status: "past_due", grace_period_end: soon })).toContain(
      `You keep Standard until ${formats.day(soon)}; after that the limits of Free apply`,
    );
  });
});
