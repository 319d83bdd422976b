import { fakeApi, ok, refuse } from "../test/api";
import { subscription } from "../test/data";
import { createBillingService } from "./billing";
import { ApiError } from "./errors";

const CONFIG = {
  apiUrl: "/api/",
  language: "ja",
  billingUrl: "/billing/?a=1",
  successUrl: "/done/",
  csrfToken: "secret",
};

const failure = (answer: Promise<unknown>) =>
  answer.then(
    () => null,
    (error: unknown) => error as ApiError,
  );

describe("the API client", () => {
  it("sends the language always, and the CSRF token where something is changed", async () => {
    const api = fakeApi({ "GET billing/plans": ok([]), "POST billing/subscription/cancel": ok({}) });
    const service = createBillingService(CONFIG);
    await service.getPlans();
    await service.cancelSubscription();
    expect(api.calls[0]?.headers).toEqual({ Accept: "application/json", "Accept-Language": "ja" });
    expect(api.calls[1]?.headers).toMatchObject({
      "X-CSRFToken": "secret",
      "Content-Type": "application/json",
    });
  });

  it("takes the CSRF token from Django's cookie where the page does not say it", async () => {
    vi.spyOn(document, "cookie", "get").mockReturnValue("a=b; csrftoken=fromcookie; c=d");
    const api = fakeApi({ "POST billing/portal": ok({}) });
    await createBillingService({ apiUrl: "/api/" }).openPortal();
    expect(api.calls[0]?.headers["X-CSRFToken"]).toBe("fromcookie");
  });

  it("sends a host's token", async () => {
    const api = fakeApi({ "GET billing/usage": ok({}) });
    await createBillingService({ apiUrl: "/api/", getToken: async () => "Token abc" }).getUsage();
    expect(api.calls[0]?.headers.Authorization).toBe("Token abc");
  });

  it("tells Stripe the way back as whole addresses", async () => {
    const api = fakeApi({ "POST billing/subscription/checkout": ok({}), "POST billing/portal": ok({}) });
    const service = createBillingService(CONFIG);
    await service.createCheckoutSession(2);
    await service.openPortal();
    expect(api.calls.map((call) => call.body)).toEqual([
      {
        plan_id: 2,
        success_url: `${window.location.origin}/done/?session_id={CHECKOUT_SESSION_ID}`,
        cancel_url: `${window.location.origin}/billing/?a=1&checkout=cancelled`,
      },
      { return_url: `${window.location.origin}/billing/?a=1&from=portal` },
    ]);
  });

  it("asks for what the functions say", async () => {
    const api = fakeApi({
      "GET billing/subscription": ok(subscription()),
      "GET billing/subscription/preview": ok({}),
      "POST billing/subscription/change": ok({}),
      "POST billing/subscription/reactivate": ok({}),
      "POST billing/subscription/sync": ok({}),
      "GET billing/payment-method": ok({}),
      "GET billing/usage/history": ok([]),
      "GET billing/history": ok({}),
    });
    const service = createBillingService({ apiUrl: "/api/" });
    await service.getSubscription();
    await service.previewChange(3);
    await service.changePlan(3);
    await service.reactivateSubscription();
    await service.syncSubscription("cs_1");
    await service.syncSubscription();
    await service.getPaymentMethod();
    await service.getUsageHistory();
    await service.getHistory(10, 20);
    expect(api.calls.map(({ method, path, body }) => [method, path, body].filter(Boolean))).toEqual([
      ["GET", "billing/subscription"],
      ["GET", "billing/subscription/preview?plan_id=3"],
      ["POST", "billing/subscription/change", { plan_id: 3 }],
      ["POST", "billing/subscription/reactivate", {}],
      ["POST", "billing/subscription/sync", { session_id: "cs_1" }],
      ["POST", "billing/subscription/sync", {}],
      ["GET", "billing/payment-method"],
      ["GET", "billing/usage/history?limit=12"],
      ["GET", "billing/history?limit=10&offset=20"],
    ]);
  });

  it("makes an ApiError of a refusal", async () => {
    const details = { reason: "authentication_required", payment_url: "https://pay.example.com/1" };
    fakeApi({ "POST billing/subscription/change": refuse(502, "stripe_error", "Confirm it.", details) });
    const error = await failure(createBillingService(CONFIG).changePlan(3));
    expect(error).toMatchObject({ code: "stripe_error", message: "Confirm it.", status: 502 });
    expect(error?.paymentUrl).toBe("https://pay.example.com/1");
  });

  it("knows when to come back", async () => {
    fakeApi({ "GET billing/usage": refuse(429, "throttled", "Slow down.", null, { "Retry-After": "17" }) });
    expect((await failure(createBillingService(CONFIG).getUsage()))?.retryAfter).toBe(17);
  });

  it.each([
    ["unreachable" as const, "network"],
    [{ status: 500, body: "<html>" }, "unexpected"],
    [{ status: 200, body: null }, "unexpected"],
  ])("makes an ApiError of %o, too", async (answer, code) => {
    fakeApi({ "GET billing/usage": answer });
    expect((await failure(createBillingService(CONFIG).getUsage()))?.code).toBe(code);
  });

  it("never follows an address that is none of the web's", () => {
    const details = { reason: "authentication_required", payment_url: "javascript:alert(1)" };
    expect(new ApiError("stripe_error", "", 502, details).paymentUrl).toBeNull();
  });
});
