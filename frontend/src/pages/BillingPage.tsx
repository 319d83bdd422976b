import { lazy, Suspense, useEffect, useRef } from "react";
import { CurrentPlan } from "../components/billing/CurrentPlan";
import { ErrorBoundary } from "../components/billing/ErrorBoundary";
import { ErrorNotice } from "../components/billing/ErrorNotice";
import { PaymentMethodCard } from "../components/billing/PaymentMethodCard";
import { PlanSelector } from "../components/billing/PlanSelector";
import { Section } from "../components/billing/Section";
import { SubscriptionSettings } from "../components/billing/SubscriptionSettings";
import { UsageDashboard } from "../components/billing/UsageDashboard";
import { NoticePlace, useNotices } from "../components/Notices";
import { Card } from "../components/ui/card";
import { Loading } from "../components/ui/skeleton";
import { useSubscription, useSubscriptionActions, useUsage } from "../hooks/useBilling";
import { useText } from "../i18n";
import { takeParameter } from "../lib/browser";
import { isApiError } from "../services/errors";
import { PageFrame } from "./PageFrame";

const BillingHistoryTable = lazy(() => import("../components/billing/BillingHistoryTable"));

export function BillingPage() {
  const t = useText();
  const failure = useFailure();
  useReturn();
  return (
    <PageFrame title={t("page.title")}>
      <NoticePlace />
      <ErrorNotice error={failure.error} onRetry={failure.retry} className="mb-6" />
      {!failure.blank && <Sections />}
    </PageFrame>
  );
}

function Sections() {
  const t = useText();
  return (
    <div className="flex flex-col gap-12">
      <ErrorBoundary>
        <CurrentPlan />
      </ErrorBoundary>
      <ErrorBoundary>
        <UsageDashboard />
      </ErrorBoundary>
      <ErrorBoundary>
        <PlanSelector />
      </ErrorBoundary>
      <div className="grid gap-x-6 gap-y-12 md:grid-cols-2">
        <ErrorBoundary>
          <PaymentMethodCard />
        </ErrorBoundary>
        <ErrorBoundary>
          <SubscriptionSettings />
        </ErrorBoundary>
      </div>
      <ErrorBoundary>
        <Section title={t("history.title")}>
          <Card>
            <Suspense fallback={<Loading lines={4} />}>
              <BillingHistoryTable />
            </Suspense>
          </Card>
        </Section>
      </ErrorBoundary>
    </div>
  );
}

/** What fails everywhere is said once: no subscription to show, or a session that has expired meanwhile. */
function useFailure() {
  const { subscription, error, refetch } = useSubscription();
  const usage = useUsage();
  const expired = [error, usage.error].find((one) => isApiError(one) && one.status === 401);
  const blank = subscription === undefined && error !== null;
  return { blank, error: blank ? error : expired, retry: refetch };
}

/** Who comes back from the checkout or from the portal sees at once what came of it, though the webhook be late. */
function useReturn(): void {
  const t = useText();
  const { notify } = useNotices();
  const { sync } = useSubscriptionActions();
  const looked = useRef(false);
  useEffect(() => {
    if (looked.current) return;
    looked.current = true;
    if (takeParameter("checkout") === "cancelled") notify("info", t("checkout.cancelled"));
    if (takeParameter("from") === "portal") sync.run();
  }, [notify, sync.run, t]);
}
