import { usePlans, usePortal, useSubscription } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import { standingOf } from "../../lib/standing";
import { freePlan, isOverdue, isPaused, ownPlan } from "../../lib/subscription";
import { useBilling } from "../BillingProvider";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Loading } from "../ui/skeleton";
import { ErrorNotice } from "./ErrorNotice";

const QUIET = "border-line";
const EDGES = { good: QUIET, info: QUIET, plain: QUIET, warn: "border-warn-fill", bad: "border-bad" };

/** Which plan holds, how it stands, and what to do about it. */
export function CurrentPlan() {
  const t = useText();
  const { formats } = useBilling();
  const { subscription, loading, error, refetch } = useSubscription();
  const { plans } = usePlans();
  const portal = usePortal();
  if (loading)
    return (
      <Card>
        <Loading lines={3} />
      </Card>
    );
  if (error && subscription === undefined) return <ErrorNotice error={error} onRetry={refetch} />;
  if (!subscription) {
    return (
      <Card>
        <Heading name={t("status.none")} />
        <p className="mt-2 text-muted">{t("standing.none")}</p>
      </Card>
    );
  }
  const free = freePlan(plans)?.name ?? t("standing.freePlan");
  const standing = standingOf(subscription, free, t, formats);
  const plan = ownPlan(subscription, plans) ?? subscription.plan;
  const stuck = isOverdue(subscription) || isPaused(subscription);
  return (
    <Card edge={EDGES[standing.level]}>
      <div className="flex flex-wrap items-start justify-between gap-x-8 gap-y-4">
        <Heading name={plan.name}>
          <Badge level={standing.level}>{standing.badge}</Badge>
        </Heading>
        <p className="font-semibold text-lg">{plan.price_display}</p>
      </div>
      <div className="mt-3 max-w-prose flex flex-col gap-1 text-muted">
        {standing.sentences.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </div>
      {stuck && (
        <Button className="mt-5" onClick={() => portal.run()} pending={portal.pending}>
          {isPaused(subscription) ? t("standing.resume") : t("standing.fixPayment")}
        </Button>
      )}
      <ErrorNotice error={portal.error} onRetry={portal.run} className="mt-4" />
    </Card>
  );
}

function Heading({ name, children }: { name: string; children?: React.ReactNode }) {
  const t = useText();
  return (
    <div>
      <p className="text-muted text-sm">{t("standing.heading")}</p>
      <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="font-bold text-2xl tracking-tight">{name}</h2>
        {children}
      </div>
    </div>
  );
}
