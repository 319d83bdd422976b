import { type ReactNode, Suspense, useState } from "react";
import { useSubscription } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import { isBilled, isRunning } from "../../lib/subscription";
import type { UserSubscription } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Loading } from "../ui/skeleton";
import { CancelDialog, KeepDialog, useDialogsSoon } from "./dialogs";
import { ErrorNotice } from "./ErrorNotice";
import { Section } from "./Section";

/** The dates of the subscription, and the way to end or keep it. */
export function SubscriptionSettings() {
  const t = useText();
  const { subscription, loading, error, refetch } = useSubscription();
  const [asked, setAsked] = useState<"cancel" | "keep" | null>(null);
  useDialogsSoon();
  const close = () => setAsked(null);
  return (
    <Section title={t("settings.title")}>
      <Card className="flex-1">
        {loading && <Loading lines={3} />}
        {subscription === undefined && <ErrorNotice error={error} onRetry={refetch} />}
        {subscription && (
          <>
            <Facts subscription={subscription} />
            <Actions subscription={subscription} ask={setAsked} />
          </>
        )}
        {subscription === null && <p className="text-muted">{t("standing.none")}</p>}
        <Suspense fallback={null}>
          {asked === "cancel" && subscription && <CancelDialog subscription={subscription} onClose={close} />}
          {asked === "keep" && subscription && <KeepDialog subscription={subscription} onClose={close} />}
        </Suspense>
      </Card>
    </Section>
  );
}

function Facts({ subscription }: { subscription: UserSubscription }) {
  const t = useText();
  const { formats } = useBilling();
  const {
    current_period_start: start,
    current_period_end: end,
    pending_plan_effective_at: change,
  } = subscription;
  const billed = isBilled(subscription);
  const ending = billed && subscription.cancel_at_period_end;
  const payment = (subscription.status === "trialing" && subscription.trial_end) || end;
  return (
    <dl className="flex flex-col gap-3 text-sm">
      <Fact name={t("settings.period")}>
        {t("usage.period", { start: formats.date(start), end: formats.date(end) })}
      </Fact>
      {ending && <Fact name={t("settings.endsOn")}>{formats.date(end)}</Fact>}
      {change && <Fact name={t("settings.changesOn")}>{formats.date(change)}</Fact>}
      <Fact name={t("settings.nextPayment")}>
        {billed && !ending && isRunning(subscription) ? formats.date(payment) : t("settings.none")}
      </Fact>
      <Fact name={t("settings.started")}>{formats.date(subscription.created_at)}</Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap justify-between gap-x-6 gap-y-0.5">
      <dt className="text-muted">{name}</dt>
      <dd className="tabular-nums">{children}</dd>
    </div>
  );
}

interface ActionsProps {
  subscription: UserSubscription;
  ask: (what: "cancel" | "keep") => void;
}

function Actions({ subscription, ask }: ActionsProps) {
  const t = useText();
  if (!isBilled(subscription)) {
    const sentence = subscription.given ? t("settings.given") : t("settings.free");
    return <p className="mt-5 text-muted text-sm">{sentence}</p>;
  }
  const { cancel_at_period_end: ending, pending_plan: pending, plan } = subscription;
  return (
    <div className="mt-6 flex flex-wrap gap-3">
      {ending && <Button onClick={() => ask("keep")}>{t("settings.reactivate")}</Button>}
      {!ending && pending && (
        <Button variant="secondary" onClick={() => ask("keep")}>
          {t("settings.keep", { plan: plan.name })}
        </Button>
      )}
      {!ending && (
        <Button variant="secondary" onClick={() => ask("cancel")}>
          {t("settings.cancel")}
        </Button>
      )}
    </div>
  );
}
