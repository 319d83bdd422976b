/** The shapes of the API by the names the rest of the code uses; `openapi.ts` is generated from docs/openapi.yaml. */
import type { components } from "./openapi";

type Schemas = components["schemas"];

export type SubscriptionPlan = Schemas["SubscriptionPlan"];
/** `given`: a plan with a price that nobody is billed for. The API does not tell; the page's configuration does. */
export type UserSubscription = Schemas["UserSubscription"] & { given?: boolean };
export type SubscriptionStatus = UserSubscription["status"];
export type UsageRecord = Schemas["UsageRecord"];
export type Resource = Schemas["ResourceEnum"];
export type ChangePreview = Schemas["ChangePreview"];
export type PaymentHistory = Schemas["PaymentHistory"];
export type PaymentTransaction = Schemas["PaymentTransaction"];
export type PaymentMethod = Schemas["PaymentMethod"];
export type CheckoutSession = Schemas["CheckoutSession"];
export type PortalSession = Schemas["PortalSession"];
export type CancelledSubscription = UserSubscription & { message: string };
export type ErrorBody = Schemas["BillingError"];

/** What a card shows of a plan. A host may show plans of its own making, without an interval. */
export type ShownPlan = Omit<SubscriptionPlan, "interval"> & Partial<Pick<SubscriptionPlan, "interval">>;
