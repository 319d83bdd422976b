import { act, render, screen, waitFor } from "@testing-library/react";
import { BillingProvider, useBilling } from "../../components/BillingProvider";
import { ErrorBoundary } from "../../components/billing/ErrorBoundary";
import { start, startPage } from "../../start";
import { ok, refuse } from "../../test/api";
import { FREE, PREMIUM, subscription } from "../../test/data";
import { CONFIG, expectAccessible, show, wellApi } from "../../test/render";
import { BillingPage } from "../BillingPage";
import { CheckoutSuccessPage } from "../CheckoutSuccessPage";

describe("the billing page", () => {
  it("has everything on it, and nothing that axe finds", async () => {
    wellApi();
    show(<BillingPage />);
    expect(await screen.findByText("It renews on December 1, 2026.")).toBeVisible();
    expect(await screen.findByText("Nov 1, 2026")).toBeVisible();
    const headings = screen.getAllByRole("heading", { level: 2 }).map((heading) => heading.textContent);
    expect(headings).toEqual([
      "Standard",
      "Usage",
      "Plans",
      "Payment method",
      "Subscription",
      "Billing history",
    ]);
    await expectAccessible();
  });

  it("leads to the login and back where nobody is logged in", async () => {
    window.history.replaceState(null, "", "/billing/?a=1");
    const refusal = refuse(401, "not_authenticated", "Log in.");
    wellApi({ "GET billing/subscription": refusal, "GET billing/usage": refusal });
    show(<BillingPage />);
    const link = await screen.findByRole("link", { name: "Log in and come back here" });
    expect(link).toHaveAttribute("href", "/login/?next=%2Fbilling%2F%3Fa%3D1");
    expect(screen.queryByRole("button", { name: /Choose/ })).not.toBeInTheDocument();
    expect(screen.getAllByText("You are not logged in any more. Nothing was changed.")).toHaveLength(1);
  });

  it("says that a session has expired, and leaves what it showed", async () => {
    const api = wellApi({ "POST billing/portal": refuse(401, "not_authenticated", "") });
    const { user } = show(<BillingPage />);
    await user.click(await screen.findByRole("button", { name: "Manage payment" }));
    expect(await screen.findByText(/You are not logged in any more/)).toBeVisible();
    expect(screen.getByText("It renews on December 1, 2026.")).toBeVisible();
    expect(api.asked("POST billing/portal")).toHaveLength(1);
  });

  it("says that a checkout was left, once", async () => {
    window.history.replaceState(null, "", "/billing/?checkout=cancelled");
    wellApi();
    const { user } = show(<BillingPage />);
    // The page has its own place for it beside the one of this test.
    expect((await screen.findAllByText(/The checkout was not finished/))[0]).toBeVisible();
    expect(window.location.search).toBe("");
    await user.click(screen.getAllByRole("button", { name: "Dismiss" })[0] as HTMLElement);
    expect(screen.queryByText(/The checkout was not finished/)).not.toBeInTheDocument();
  });

  it("reads afresh from Stripe what was done in its portal", async () => {
    window.history.replaceState(null, "", "/billing/?from=portal");
    const api = wellApi({ "POST billing/subscription/sync": ok(subscription()) });
    show(<BillingPage />);
    await waitFor(() => expect(api.asked("POST billing/subscription/sync")).toHaveLength(1));
    expect(await screen.findByText("It renews on December 1, 2026.")).toBeVisible();
  });
});

describe("the page after the checkout", () => {
  const QUICK = { poll: 20, sync: [40], late: 150 };
  const free = ok(subscription({ plan: FREE }));
  const paid = ok(subscription({ plan: PREMIUM }));

  it("waits until the new limits hold", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    let asked = 0;
    const api = wellApi({ "GET billing/subscription": () => (++asked > 2 ? paid : free) });
    show(<CheckoutSuccessPage sessionId="cs_1" times={{ ...QUICK, sync: [5000] }} />);
    expect(screen.getByRole("heading", { name: /Your plan is being set up/ })).toBeVisible();
    expect(await screen.findByRole("heading", { name: "You are on Premium" })).toBeVisible();
    expect(screen.getByText("What Premium has")).toBeVisible();
    await expectAccessible();
    // And then nothing is asked any more.
    const before = api.calls.length;
    await act(() => vi.advanceTimersByTimeAsync(6000));
    expect(api.calls).toHaveLength(before);
  });

  it("asks Stripe where the webhook is late", async () => {
    const api = wellApi({ "GET billing/subscription": free });
    api.answer("POST billing/subscription/sync", () => {
      api.answer("GET billing/subscription", paid);
      return paid;
    });
    window.history.replaceState(null, "", "/done/?session_id=cs_test_1");
    show(<CheckoutSuccessPage times={QUICK} />);
    expect(await screen.findByRole("heading", { name: "You are on Premium" })).toBeVisible();
    expect(api.asked("POST billing/subscription/sync").map((call) => call.body)).toEqual([
      { session_id: "cs_test_1" },
    ]);
  });

  it("says plainly that it takes long, and checks again", async () => {
    const api = wellApi({
      "GET billing/subscription": free,
      "POST billing/subscription/sync": refuse(503, "stripe_unavailable", "Stripe is away."),
    });
    window.history.replaceState(null, "", "/done/?session_id=%3Cscript%3E");
    const { user } = show(<CheckoutSuccessPage times={QUICK} />);
    expect(await screen.findByText(/You need not pay again/)).toBeVisible();
    expect(await screen.findByText("Stripe is away.")).toBeVisible();
    expect(api.asked("POST billing/subscription/sync")[0]?.body).toEqual({});
    api.answer("POST billing/subscription/sync", paid);
    api.answer("GET billing/subscription", paid);
    await user.click(screen.getByRole("button", { name: "Check again" }));
    expect(await screen.findByRole("heading", { name: "You are on Premium" })).toBeVisible();
  });

  it("knows a trial", async () => {
    wellApi({
      "GET billing/subscription": ok(subscription({ status: "trialing", trial_end: "2026-12-10T00:00:00Z" })),
    });
    show(<CheckoutSuccessPage sessionId={null} />);
    expect(await screen.findByText(/Your trial is free until December 10, 2026/)).toBeVisible();
  });

  it("tells whose checkout it is not", async () => {
    wellApi({
      "GET billing/subscription": free,
      "POST billing/subscription/sync": refuse(404, "no_subscription", "None."),
    });
    show(<CheckoutSuccessPage sessionId="cs_2" times={QUICK} />);
    expect(await screen.findByRole("heading", { name: "This checkout is not known" })).toBeVisible();
    expect(screen.getByRole("link", { name: "Go to billing" })).toHaveAttribute("href", "/billing/");
  });
});

describe("the start", () => {
  const root = () => {
    const element = document.body.appendChild(document.createElement("div"));
    element.id = "videoq-billing";
    return element;
  };

  afterEach(() => document.body.replaceChildren());

  it("puts the page into its element, in the page's language", async () => {
    wellApi();
    const element = root();
    await start(element, { ...CONFIG, language: "ja" });
    expect(await screen.findByText("2026年12月1日に更新されます。")).toBeVisible();
    expect(element).toHaveClass("vqb");
    expect(element.lang).toBe("ja");
  });

  it("reads what Django says", async () => {
    wellApi();
    root();
    const data = document.body.appendChild(document.createElement("script"));
    data.id = "videoq-billing-config";
    data.type = "application/json";
    expect(() => startPage()).toThrow("videoq-billing-config is missing");
    data.textContent = JSON.stringify({ ...CONFIG, page: "success" });
    await startPage();
    expect(await screen.findByRole("heading", { name: "You are on Standard" })).toBeVisible();
  });

  it("asks the host's script for a token before each request", async () => {
    const api = wellApi();
    root();
    const data = document.body.appendChild(document.createElement("script"));
    data.id = "videoq-billing-config";
    data.type = "application/json";
    data.textContent = JSON.stringify(CONFIG);
    window.videoqBilling = { getToken: () => "Token abc" };
    await startPage();
    await screen.findByText("It renews on December 1, 2026.");
    delete window.videoqBilling;
    expect(api.calls.map((call) => call.headers.Authorization)).toEqual(api.calls.map(() => "Token abc"));
  });

  it("does nothing where there is no element", () => {
    expect(startPage()).toBeUndefined();
  });
});

function Lost() {
  return useBilling().formats.locale;
}

function Broken(): never {
  throw new Error("broken");
}

describe("the provider", () => {
  it("loads the texts by itself, and keeps the styles to its own element", async () => {
    wellApi();
    render(
      <BillingProvider config={{ ...CONFIG, language: "ja" }} className="mine">
        <BillingPage />
      </BillingProvider>,
    );
    const heading = await screen.findByRole("heading", { name: "お支払い" });
    expect(heading.closest(".vqb")).toHaveClass("mine");
    expect(heading.closest("[lang]")).toHaveAttribute("lang", "ja");
  });

  it("is missed plainly", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(() => render(<Lost />)).toThrow("Billing components need a <BillingProvider>");
  });
});

describe("a fault of ours", () => {
  it("ends at the next boundary", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    show(
      <ErrorBoundary>
        <Broken />
      </ErrorBoundary>,
    );
    expect(await screen.findByText(/Something went wrong on this page/)).toBeVisible();
    expect(screen.getByRole("button", { name: "Reload the page" })).toBeVisible();
  });
});
