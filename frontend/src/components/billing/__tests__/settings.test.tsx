import { screen, waitFor, within } from "@testing-library/react";
import * as browser from "../../../lib/browser";
import { ok, refuse } from "../../../test/api";
import { FREE, NO_CARD, PREMIUM, subscription } from "../../../test/data";
import { expectAccessible, show, wellApi } from "../../../test/render";
import { CurrentPlan } from "../CurrentPlan";
import { PaymentMethodCard } from "../PaymentMethodCard";
import { SubscriptionSettings } from "../SubscriptionSettings";

const button = (name: string | RegExp) => screen.findByRole("button", { name });

describe("cancelling", () => {
  it("says what happens when before it does it, and does it once", async () => {
    const ending = subscription({ cancel_at_period_end: true });
    const api = wellApi({
      "POST billing/subscription/cancel": ok({
        ...ending,
        message: "You keep Standard until December 1, 2026.",
      }),
    });
    const { user } = show(<SubscriptionSettings />);
    await user.click(await button("Cancel subscription"));
    const dialog = await screen.findByRole("dialog", { name: "Cancel Standard?" });
    expect(
      within(dialog).getByText("You keep Standard with all its limits until December 1, 2026."),
    ).toBeVisible();
    expect(within(dialog).getByText("Nothing more is charged.")).toBeVisible();
    await expectAccessible();
    api.answer("GET billing/subscription", ok(ending));
    await user.dblClick(within(dialog).getByRole("button", { name: "Cancel subscription" }));
    expect(await screen.findByText("You keep Standard until December 1, 2026.")).toBeVisible();
    expect(api.asked("POST billing/subscription/cancel")).toHaveLength(1);
    expect(await button("Keep the subscription")).toBeVisible();
    // The button that opened the dialog is gone: the focus is on what came of it.
    await waitFor(() => expect(document.activeElement).toHaveTextContent("You keep Standard"));
  });

  it("stays open with the API's sentence where it fails", async () => {
    wellApi({ "POST billing/subscription/cancel": refuse(503, "stripe_unavailable", "Come back later.") });
    const { user } = show(<SubscriptionSettings />);
    await user.click(await button("Cancel subscription"));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Cancel subscription" }));
    expect(await within(dialog).findByText("Come back later.")).toBeVisible();
  });

  it.each([
    [{ status: "paused" as const }, /ends at once/],
    [{ status: "unpaid" as const }, "Only the payment that is open may still be charged."],
    [
      { pending_plan: PREMIUM, pending_plan_effective_at: "2026-12-01T00:00:00Z" },
      "The scheduled change to Premium is dropped.",
    ],
    [
      { status: "past_due" as const, grace_period_end: new Date(Date.now() + 86_400_000).toISOString() },
      /You keep Standard with all its limits until/,
    ],
  ])("of %o says so", async (changes, sentence) => {
    wellApi({ "GET billing/subscription": ok(subscription(changes)) });
    const { user } = show(<SubscriptionSettings />);
    await user.click(await button("Cancel subscription"));
    expect(await screen.findByText(sentence)).toBeVisible();
    await user.click(await button("Keep Standard"));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  });

  it("is not offered on the free plan", async () => {
    wellApi({ "GET billing/subscription": ok(subscription({ plan: FREE })) });
    show(<SubscriptionSettings />);
    expect(await screen.findByText(/nothing to cancel/)).toBeVisible();
    expect(screen.queryByRole("button")).not.toBeInTheDocument();
  });
});

describe("keeping", () => {
  it("takes a cancellation back", async () => {
    const api = wellApi({
      "GET billing/subscription": ok(subscription({ cancel_at_period_end: true })),
      "POST billing/subscription/reactivate": ok(subscription()),
    });
    const { user } = show(<SubscriptionSettings />);
    await user.click(await button("Keep the subscription"));
    expect(await screen.findByText(/The cancellation is taken back.*\$12.00\/month/)).toBeVisible();
    await user.click(await button("Keep Standard"));
    expect(await screen.findByText("You keep Standard; it renews on December 1, 2026.")).toBeVisible();
    expect(api.asked("POST billing/subscription/reactivate")).toHaveLength(1);
  });

  it("drops a change that is scheduled", async () => {
    const pending = { pending_plan: PREMIUM, pending_plan_effective_at: "2026-12-01T00:00:00Z" };
    const api = wellApi({
      "GET billing/subscription": ok(subscription(pending)),
      "POST billing/subscription/change": ok(subscription()),
    });
    const { user } = show(<SubscriptionSettings />);
    await user.click(await button("Keep Standard"));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Keep Standard" }));
    await waitFor(() => expect(api.asked("POST billing/subscription/change")).toHaveLength(1));
    expect(api.asked("POST billing/subscription/change")[0]?.body).toEqual({ plan_id: 2 });
  });
});

describe("the payment method", () => {
  it("shows the card and leads to the portal", async () => {
    const leave = vi.spyOn(browser, "leaveFor").mockReturnValue(new Promise(() => {}));
    wellApi({ "POST billing/portal": ok({ portal_url: "https://portal.example.com/" }) });
    const { user } = show(<PaymentMethodCard />);
    expect(await screen.findByText("Visa ending in 4242")).toBeVisible();
    await user.click(await button("Manage payment"));
    await waitFor(() => expect(leave).toHaveBeenCalledWith("https://portal.example.com/"));
    await expectAccessible();
  });

  it("says that a card has expired", async () => {
    wellApi({
      "GET billing/payment-method": ok({ brand: "amex", last4: "0005", exp_month: 10, exp_year: 2020 }),
    });
    show(<PaymentMethodCard />);
    expect(await screen.findByText("American Express ending in 0005")).toBeVisible();
    expect(screen.getByText("This card has expired.")).toBeVisible();
  });

  it("says when a card is given where none is known", async () => {
    wellApi({
      "GET billing/subscription": ok(subscription({ plan: FREE })),
      "GET billing/payment-method": ok(NO_CARD),
    });
    show(<PaymentMethodCard />);
    expect(await screen.findByText("You add a card when you choose a paid plan.")).toBeVisible();
    expect(screen.queryByRole("button")).not.toBeInTheDocument();
  });

  it("does not say to who pays that there is no card, where the site does not know it", async () => {
    wellApi({ "GET billing/payment-method": ok(NO_CARD) });
    show(<PaymentMethodCard />);
    expect(await button("Manage payment")).toBeVisible();
    expect(screen.queryByText("No card on file yet.")).not.toBeInTheDocument();
  });

  it("says why the portal does not open", async () => {
    wellApi({ "POST billing/portal": refuse(502, "stripe_error", "Refused.") });
    const { user } = show(<PaymentMethodCard />);
    await user.click(await button("Manage payment"));
    expect(await screen.findByText("Refused.")).toBeVisible();
  });
});

describe("the current plan", () => {
  it("leads who owes something to the portal", async () => {
    const leave = vi.spyOn(browser, "leaveFor").mockReturnValue(new Promise(() => {}));
    wellApi({
      "GET billing/subscription": ok(subscription({ status: "past_due" })),
      "POST billing/portal": ok({ portal_url: "https://portal.example.com/" }),
    });
    const { user } = show(<CurrentPlan />);
    await user.click(await button("Settle the payment"));
    await waitFor(() => expect(leave).toHaveBeenCalled());
    await expectAccessible();
  });

  it("has words for who has none yet", async () => {
    wellApi({ "GET billing/subscription": refuse(404, "no_subscription", "None.") });
    show(<CurrentPlan />);
    expect(await screen.findByText("No plan yet")).toBeVisible();
  });

  it("of a subscription that has ended is the free one", async () => {
    wellApi({ "GET billing/subscription": ok(subscription({ status: "cancelled" })) });
    show(<CurrentPlan />);
    expect(await screen.findByRole("heading", { name: "Free" })).toBeVisible();
  });

  it("is asked for again where the network was away", async () => {
    const api = wellApi({ "GET billing/subscription": "unreachable" });
    const { user } = show(<CurrentPlan />);
    expect(await screen.findByText(/The site cannot be reached/)).toBeVisible();
    api.answer("GET billing/subscription", ok(subscription()));
    await user.click(await button("Try again"));
    expect(await screen.findByText("It renews on December 1, 2026.")).toBeVisible();
  });
});

describe("a plan that was given", () => {
  it("has nothing to cancel, and no payment to come", async () => {
    wellApi();
    show(<SubscriptionSettings />, { config: { planIsGiven: true } });
    expect(await screen.findByText("Your plan was given to you: there is nothing to cancel.")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Cancel subscription" })).toBeNull();
    expect(screen.getByText("Next payment").nextSibling).toHaveTextContent("None");
  });
});
