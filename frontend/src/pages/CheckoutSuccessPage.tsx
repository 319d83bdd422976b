import type { ReactNode } from "react";
import { useBilling } from "../components/BillingProvider";
import { ErrorBoundary } from "../components/billing/ErrorBoundary";
import { ErrorNotice } from "../components/billing/ErrorNotice";
import { Button } from "../components/ui/button";
import { Card } from "../components/ui/card";
import { Icon } from "../components/ui/icon";
import { Spinner } from "../components/ui/spinner";
import { type Arrival, type ArrivalTimes, useArrival } from "../hooks/useArrival";
import { useText } from "../i18n";
import { PageFrame } from "./PageFrame";

interface CheckoutSuccessPageProps {
  /** The checkout's session; by default what the address says. */
  sessionId?: string | null;
  times?: ArrivalTimes;
}

/** Waits until the plan that was paid for holds, and says plainly when that takes long. */
export function CheckoutSuccessPage({ sessionId = sessionOfAddress(), times }: CheckoutSuccessPageProps) {
  const t = useText();
  const { config } = useBilling();
  const arrival = useArrival(sessionId, times);
  return (
    <PageFrame title={t("page.title")}>
      <ErrorBoundary>
        <Card className="max-w-2xl">
          <Outcome arrival={arrival} />
          <div className="mt-7 flex flex-wrap gap-3">
            <Button asChild variant={arrival.state === "arrived" ? "primary" : "secondary"}>
              <a href={config.billingUrl ?? "/"}>{t("checkout.toBilling")}</a>
            </Button>
            {arrival.state === "late" && (
              <Button pending={arrival.checking} onClick={arrival.checkAgain}>
                {t("checkout.again")}
              </Button>
            )}
          </div>
        </Card>
      </ErrorBoundary>
    </PageFrame>
  );
}

function Outcome({ arrival }: { arrival: Arrival }) {
  const t = useText();
  const { formats } = useBilling();
  const { state, subscription, error } = arrival;
  if (state === "arrived" && subscription) {
    const { plan, status, trial_end: trial, current_period_end: end } = subscription;
    const date = formats.day(status === "trialing" && trial ? trial : end);
    return (
      <Report
        title={t("checkout.doneTitle", { plan: plan.name })}
        icon={<Icon name="check" className="text-good" />}
      >
        <p>
          {t("checkout.done")}{" "}
          {status === "trialing" ? t("checkout.trial", { date }) : t("checkout.renews", { date })}
        </p>
        <ul aria-label={t("checkout.limits")} className="mt-4 flex flex-col gap-2 text-text">
          {plan.features.map((feature) => (
            <li key={feature} className="flex gap-2.5">
              <Icon name="check" className="mt-0.5 text-accent" />
              <span>{feature}</span>
            </li>
          ))}
        </ul>
      </Report>
    );
  }
  if (state === "unknown") {
    return (
      <Report title={t("checkout.unknownTitle")} icon={<Icon name="info" className="text-muted" />}>
        <p>{t("checkout.unknown")}</p>
      </Report>
    );
  }
  if (state === "late") {
    return (
      <Report title={t("checkout.slowTitle")} icon={<Icon name="info" className="text-warn" />}>
        <p>{t("checkout.slow")}</p>
        <ErrorNotice error={error} className="mt-4" />
      </Report>
    );
  }
  return (
    <Report title={t("checkout.waitingTitle")} icon={<Spinner />}>
      <p>{t("checkout.waiting")}</p>
    </Report>
  );
}

/** Read out when it changes. */
function Report({ title, icon, children }: { title: string; icon: ReactNode; children: ReactNode }) {
  return (
    <div role="status">
      <h2 className="flex items-center gap-3 font-semibold text-xl tracking-tight">
        {icon}
        {title}
      </h2>
      <div className="mt-3 text-muted">{children}</div>
    </div>
  );
}

/** The API refuses anything else before it asks Stripe. */
function sessionOfAddress(): string | null {
  const session = new URLSearchParams(window.location.search).get("session_id");
  return session && /^cs_[A-Za-z0-9_]+$/.test(session) ? session : null;
}
