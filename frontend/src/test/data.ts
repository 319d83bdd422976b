import type { PaymentTransaction, SubscriptionPlan, UsageRecord, UserSubscription } from "../types/billing";

const plan = (id: number, name: string, price: number, display: string): SubscriptionPlan => ({
  id,
  name,
  slug: name.toLowerCase(),
  description: `${name} for everybody`,
  price_cents: price,
  price_display: display,
  currency: "USD",
  interval: "month",
  video_limit: [3, 50, null][id - 1] ?? null,
  transcription_limit_minutes: [30, 300, 1000][id - 1] ?? null,
  features: [`What ${name} has`],
  sort_order: id,
});

export const FREE = plan(1, "Free", 0, "Free of charge");
export const STANDARD = plan(2, "Standard", 1200, "$12.00/month");
export const PREMIUM = plan(3, "Premium", 4900, "$49.00/month");
export const PLANS = [FREE, STANDARD, PREMIUM];

export const subscription = (changes: Partial<UserSubscription> = {}): UserSubscription => ({
  id: 1,
  plan: STANDARD,
  status: "active",
  current_period_start: "2026-11-01T00:00:00Z",
  current_period_end: "2026-12-01T00:00:00Z",
  cancel_at_period_end: false,
  cancelled_at: null,
  trial_end: null,
  grace_period_end: null,
  pending_plan: null,
  pending_plan_effective_at: null,
  created_at: "2026-01-15T00:00:00Z",
  ...changes,
});

export const usage = (changes: Partial<UsageRecord> = {}): UsageRecord => ({
  billing_period_start: "2026-11-01T00:00:00Z",
  billing_period_end: "2026-12-01T00:00:00Z",
  video_count: 12,
  video_limit: 50,
  video_usage_percentage: 24,
  transcription_seconds: 2730,
  transcription_minutes: 45.5,
  transcription_limit_minutes: 300,
  transcription_usage_percentage: 15.2,
  overage: { video_count: 0, transcription_seconds: 0 },
  warnings: [],
  updated_at: "2026-11-26T10:00:00Z",
  ...changes,
});

export const payment = (changes: Partial<PaymentTransaction> = {}): PaymentTransaction => ({
  id: 1,
  amount_cents: 1200,
  amount_display: "$12.00",
  currency: "USD",
  type: "subscription_payment",
  status: "succeeded",
  description: "",
  invoice_url: "https://invoice.example.com/1",
  invoice_pdf: "https://invoice.example.com/1.pdf",
  created_at: "2026-11-01T00:00:00Z",
  ...changes,
});

export const CARD = { brand: "visa", last4: "4242", exp_month: 11, exp_year: 2099 };
export const NO_CARD = { brand: null, last4: null, exp_month: null, exp_year: null };
