export {
  BillingProvider,
  type BillingProviderProps,
  createQueryClient,
  useBilling,
} from "./components/BillingProvider";
export { default as BillingHistoryTable } from "./components/billing/BillingHistoryTable";
export { CurrentPlan } from "./components/billing/CurrentPlan";
export { ErrorBoundary } from "./components/billing/ErrorBoundary";
export { ErrorNotice } from "./components/billing/ErrorNotice";
export { PaymentMethodCard } from "./components/billing/PaymentMethodCard";
export { PlanCard } from "./components/billing/PlanCard";
export { PlanSelector } from "./components/billing/PlanSelector";
export { SubscriptionSettings } from "./components/billing/SubscriptionSettings";
export { UsageDashboard } from "./components/billing/UsageDashboard";
export { NoticePlace } from "./components/Notices";
export type { BillingConfig } from "./config";
export {
  useBillingHistory,
  useChangePreview,
  usePaymentMethod,
  usePlans,
  usePortal,
  useSubscription,
  useSubscriptionActions,
  useUsage,
  useUsageHistory,
} from "./hooks/useBilling";
export { LANGUAGES, type Language } from "./i18n";
export { BillingPage } from "./pages/BillingPage";
export { CheckoutSuccessPage } from "./pages/CheckoutSuccessPage";
export { type BillingService, createBillingService } from "./services/billing";
export { ApiError, isApiError } from "./services/errors";
export type * from "./types/billing";
