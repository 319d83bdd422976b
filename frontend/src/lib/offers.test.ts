import { FREE, PLANS, PREMIUM, subscription } from "../test/data";
import type { UserSubscription } from "../types/billing";
import { offersFor } from "./offers";

const actions = (changes: Partial<UserSubscription> | null) =>
  offersFor(PLANS, changes && subscription(changes)).map(({ action, isCurrent, blocked }) =>
    [action, isCurrent && "current", blocked].filter(Boolean).join(" "),
  );

describe("what can be done with each plan", () => {
  it.each<[string, Partial<UserSubscription> | null, string[]]>([
    ["without a subscription", null, ["none", "checkout", "checkout"]],
    ["on the free plan", { plan: FREE }, ["none current", "checkout", "checkout"]],
    ["on a paid plan", {}, ["cancel", "none current", "change"]],
    ["in a trial", { status: "trialing" }, ["cancel", "none current", "change"]],
    ["cancelled for later", { cancel_at_period_end: true }, ["none", "reactivate current", "change"]],
    [
      "with a change to come",
      { pending_plan: PREMIUM, pending_plan_effective_at: "2026-12-01T00:00:00Z" },
      ["cancel", "keep current", "none"],
    ],
    ["overdue", { status: "past_due" }, ["cancel", "none current", "none payment"]],
    ["unpaid", { status: "unpaid" }, ["cancel", "none current", "none payment"]],
    ["paused", { status: "paused" }, ["cancel", "none current", "none paused"]],
    ["not finished", { status: "incomplete" }, ["none current", "checkout", "checkout"]],
    ["ended", { status: "cancelled" }, ["none current", "checkout", "checkout"]],
  ])("%s", (_name, changes, expected) => {
    expect(actions(changes)).toEqual(expected);
  });

  it("says when the next plan begins and the present one ends", () => {
    const offers = offersFor(PLANS, subscription({ cancel_at_period_end: true }));
    expect(offers.map(({ from, until }) => from ?? until)).toEqual([
      "2026-12-01T00:00:00Z",
      "2026-12-01T00:00:00Z",
      null,
    ]);
  });
});
