import { screen, waitFor, within } from "@testing-library/react";
import ja from "../../../i18n/locales/ja.json";
import * as browser from "../../../lib/browser";
import { ok, refuse } from "../../../test/api";
import { FREE, PLANS, PREMIUM, STANDARD, subscription } from "../../../test/data";
import { expectAccessible, show, wellApi } from "../../../test/render";
import type { ChangePreview } from "../../../types/billing";
import { PlanSelector } from "../PlanSelector";

const preview = (changes: Partial<ChangePreview> = {}): ChangePreview => ({
  plan: PREMIUM,
  immediate: true,
  effective_at: null,
  currency: "USD",
  amount_due_cents: 2220,
  amount_due_display: "$22.20",
  credit_cents: 720,
  lines: [
    { description: "Unused time on Standard", amount_cents: -720 },
    { description: "Remaining time on Premium", amount_cents: 2940 },
  ],
  exceeded_limits: [],
  ...changes,
});

const button = (name: string | RegExp) => screen.findByRole("button", { name });

describe("the plans", () => {
  it("stand beside each other, the user's own marked", async () => {
    wellApi();
    show(<PlanSelector />);
    expect(await button("Current Plan")).toBeDisabled();
    expect(screen.getByText("Your plan")).toBeInTheDocument();
    expect(screen.getAllByRole("heading", { level: 3 }).map((heading) => heading.textContent)).toEqual([
      "Free",
      "Standard",
      "Premium",
    ]);
    const table = screen.getByRole("table", { hidden: true });
    expect(within(table).getByText("1,000")).toBeInTheDocument();
    await expectAccessible();
  });

  it("lead from the free plan to the checkout, once however often one clicks", async () => {
    const leave = vi.spyOn(browser, "leaveFor").mockReturnValue(new Promise(() => {}));
    const api = wellApi({
      "GET billing/subscription": ok(subscription({ plan: FREE })),
      "POST billing/subscription/checkout": ok({
        checkout_url: "https://pay.example.com/",
        session_id: "cs_1",
      }),
    });
    const { user } = show(<PlanSelector />);
    await user.dblClick(await button("Choose Premium"));
    await waitFor(() => expect(leave).toHaveBeenCalledWith("https://pay.example.com/"));
    expect(api.asked("POST billing/subscription/checkout").map((call) => call.body)).toMatchObject([
      { plan_id: 3 },
    ]);
    expect(screen.getByRole("button", { name: "Choose Premium" })).toHaveAttribute("aria-disabled", "true");
    expect(screen.getByRole("button", { name: "Choose Standard" })).toBeDisabled();
  });

  it("show why the checkout cannot be opened, and try again", async () => {
    const unavailable = refuse(503, "stripe_unavailable", "The payment service cannot be reached.");
    const api = wellApi({
      "GET billing/subscription": ok(subscription({ plan: FREE })),
      "POST billing/subscription/checkout": unavailable,
    });
    const { user } = show(<PlanSelector />);
    await user.click(await button("Choose Standard"));
    expect(await screen.findByText("The payment service cannot be reached.")).toBeInTheDocument();
    await user.click(await button("Try again"));
    await waitFor(() => expect(api.asked("POST billing/subscription/checkout")).toHaveLength(2));
  });

  it("offer no second try of what would be refused again", async () => {
    wellApi({
      "GET billing/subscription": ok(subscription({ plan: FREE })),
      "POST billing/subscription/checkout": refuse(400, "invalid_plan", "Standard cannot be bought here."),
    });
    const { user } = show(<PlanSelector />);
    await user.click(await button("Choose Standard"));
    expect(await screen.findByText("Standard cannot be bought here.")).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Try again" })).not.toBeInTheDocument();
  });

  it("wait as long as the API says before they let one try again", async () => {
    wellApi({
      "GET billing/plans": refuse(429, "throttled", "Too many requests.", null, { "Retry-After": "1" }),
    });
    show(<PlanSelector />);
    expect(await screen.findByText(/Too many requests. You can try again in 1 second/)).toBeInTheDocument();
    const again = screen.getByRole("button", { name: "Try again" });
    expect(again).toBeDisabled();
    await waitFor(() => expect(again).toBeEnabled(), { timeout: 3000 });
    expect(screen.queryByText(/in 1 second/)).not.toBeInTheDocument();
  });

  it("can be seen by the month or by the year", async () => {
    const yearly = { ...STANDARD, id: 12, name: "Standard for a year", interval: "year" as const };
    wellApi({ "GET billing/plans": ok([...PLANS, yearly]) });
    const { user } = show(<PlanSelector />);
    await user.click(await screen.findByRole("radio", { name: "Yearly" }));
    expect(screen.getByRole("button", { name: "Switch to Standard for a year" })).toBeEnabled();
    expect(screen.queryByRole("button", { name: "Switch to Premium" })).not.toBeInTheDocument();
    await user.keyboard("{ArrowLeft}");
    await user.keyboard(" ");
    expect(screen.getByRole("button", { name: "Switch to Premium" })).toBeInTheDocument();
  });

  it("say why none can be chosen while a payment is open", async () => {
    wellApi({ "GET billing/subscription": ok(subscription({ status: "past_due" })) });
    show(<PlanSelector />);
    expect(await screen.findByText(/Settle the open payment first/)).toBeInTheDocument();
    expect(screen.getByText("Payment overdue")).toBeInTheDocument();
  });

  it("say so where there are none", async () => {
    wellApi({ "GET billing/plans": ok([]) });
    show(<PlanSelector />);
    expect(await screen.findByText("No plans are offered at the moment.")).toBeInTheDocument();
  });

  it("speak Japanese", async () => {
    wellApi();
    show(<PlanSelector />, { config: { language: "ja" }, texts: ja });
    expect(await button("現在のプラン")).toBeDisabled();
    expect(await button("Premium に変更")).toBeEnabled();
  });
});

describe("a change of plan", () => {
  it("is shown before it is made, and made once", async () => {
    const api = wellApi({
      "GET billing/subscription/preview": ok(preview()),
      "POST billing/subscription/change": ok(subscription({ plan: PREMIUM })),
    });
    const { user } = show(<PlanSelector />);
    await user.click(await button("Switch to Premium"));
    const dialog = await screen.findByRole("dialog", { name: "Switch to Premium" });
    expect(await within(dialog).findByText("-$7.20")).toBeInTheDocument();
    expect(within(dialog).getByText("$22.20")).toBeInTheDocument();
    await expectAccessible();
    api.answer("GET billing/subscription", ok(subscription({ plan: PREMIUM })));
    await user.dblClick(within(dialog).getByRole("button", { name: "Pay $22.20 and switch" }));
    expect(await screen.findByText("You are on Premium now.")).toBeInTheDocument();
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(api.asked("POST billing/subscription/change").map((call) => call.body)).toEqual([{ plan_id: 3 }]);
    // What came of it is at the top of the page: the focus brings it into sight.
    await waitFor(() => expect(document.activeElement).toHaveTextContent("You are on Premium now."));
  });

  it("down waits for the end of the period, and says what would be exceeded", async () => {
    const later = "2026-12-01T00:00:00Z";
    wellApi({
      "GET billing/subscription": ok(subscription({ plan: PREMIUM })),
      "GET billing/subscription/preview": ok(
        preview({
          plan: STANDARD,
          immediate: false,
          effective_at: later,
          amount_due_cents: 0,
          lines: [],
          credit_cents: 0,
          exceeded_limits: [
            { resource: "video", limit: 50 },
            { resource: "transcription", limit: 18000 },
          ],
        }),
      ),
      "POST billing/subscription/change": ok(
        subscription({ plan: PREMIUM, pending_plan: STANDARD, pending_plan_effective_at: later }),
      ),
    });
    const { user } = show(<PlanSelector />);
    await user.click(await button("Switch to Standard"));
    expect(await screen.findByText(/Standard starts on December 1, 2026/)).toBeInTheDocument();
    expect(screen.getByText("Standard has 50 videos per period.")).toBeInTheDocument();
    expect(screen.getByText("Standard has 300 minutes of transcription per period.")).toBeInTheDocument();
    await user.click(await button("Schedule the change"));
    expect(await screen.findByText("Your plan changes to Standard on December 1, 2026.")).toBeInTheDocument();
  });

  it("that the bank wants confirmed leads to the page for that", async () => {
    const details = { reason: "authentication_required", payment_url: "https://pay.example.com/invoice" };
    wellApi({
      "GET billing/subscription/preview": ok(preview()),
      "POST billing/subscription/change": refuse(502, "stripe_error", "Your bank wants to be sure.", details),
    });
    const { user } = show(<PlanSelector />);
    await user.click(await button("Switch to Premium"));
    await user.click(await button(/Pay/));
    const link = await screen.findByRole("link", { name: "Confirm the payment" });
    expect(link).toHaveAttribute("href", "https://pay.example.com/invoice");
    expect(screen.getByText("Your bank wants to be sure.")).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: /Pay/ })).not.toBeInTheDocument();
  });

  it("of a plan that was given leads to the checkout", async () => {
    const leave = vi.spyOn(browser, "leaveFor").mockReturnValue(new Promise(() => {}));
    wellApi({
      "GET billing/subscription/preview": refuse(409, "conflict", "You have no paid subscription."),
      "POST billing/subscription/checkout": ok({
        checkout_url: "https://pay.example.com/",
        session_id: "cs_1",
      }),
    });
    const { user } = show(<PlanSelector />);
    await user.click(await button("Switch to Premium"));
    await user.click(await button("Go to checkout"));
    await waitFor(() => expect(leave).toHaveBeenCalled());
  });

  it("can be left alone, and the focus goes back to where it came from", async () => {
    wellApi({ "GET billing/subscription/preview": ok(preview({ amount_due_cents: 0 })) });
    const { user } = show(<PlanSelector />);
    const opener = await button("Switch to Premium");
    await user.click(opener);
    expect(await button("Switch now")).toBeEnabled();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(opener).toHaveFocus());
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  });
});
