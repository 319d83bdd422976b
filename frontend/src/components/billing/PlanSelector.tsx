import { Suspense, useState } from "react";
import { usePlans, useSubscription } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import { type Offer, type OfferAction, offersFor } from "../../lib/offers";
import { isFree, isOverdue } from "../../lib/subscription";
import type { SubscriptionPlan } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { Badge } from "../ui/badge";
import { Card } from "../ui/card";
import { Loading } from "../ui/skeleton";
import { ToggleGroup } from "../ui/toggle-group";
import { CancelDialog, ChangePlanDialog, KeepDialog, useDialogsSoon } from "./dialogs";
import { ErrorNotice } from "./ErrorNotice";
import { PlanCard } from "./PlanCard";
import { PlanComparison } from "./PlanComparison";
import { Section } from "./Section";

type Interval = SubscriptionPlan["interval"];

/** The plans beside each other: the first paid one leads to checkout, any other to a look at what changes. */
export function PlanSelector() {
  const t = useText();
  const { plans, loading, error, refetch } = usePlans();
  const { subscription, loading: waiting, checkout } = useSubscription();
  const [chosenInterval, setInterval] = useState<Interval | null>(null);
  const [chosen, setChosen] = useState<Offer | null>(null);
  const [paying, setPaying] = useState<number | null>(null);
  useDialogsSoon();

  if (loading || waiting)
    return (
      <Section title={t("plans.title")}>
        <Card>
          <Loading lines={6} />
        </Card>
      </Section>
    );
  if (error && plans.length === 0) {
    return (
      <Section title={t("plans.title")}>
        <ErrorNotice error={error} onRetry={refetch} />
      </Section>
    );
  }
  const both = new Set(plans.filter((plan) => !isFree(plan)).map((plan) => plan.interval)).size > 1;
  const interval = chosenInterval ?? subscription?.plan.interval ?? "month";
  const shown = both ? plans.filter((plan) => isFree(plan) || plan.interval === interval) : plans;
  const offers = offersFor(plans, subscription).filter((offer) => shown.includes(offer.plan));
  const select = (offer: Offer) => {
    if (offer.action !== "checkout") return setChosen(offer);
    setPaying(offer.plan.id);
    checkout.run(offer.plan.id);
  };
  const close = () => setChosen(null);
  return (
    <Section
      title={t("plans.title")}
      aside={
        both && (
          <ToggleGroup<Interval>
            label={t("plans.interval")}
            value={interval}
            options={[
              { value: "month", label: t("plans.month") },
              { value: "year", label: t("plans.year") },
            ]}
            onChange={setInterval}
          />
        )
      }
    >
      <ErrorNotice
        error={checkout.error}
        reveal
        onRetry={paying === null ? undefined : () => checkout.run(paying)}
        className="mb-4"
      />
      {offers.length === 0 && <Card className="text-muted">{t("plans.empty")}</Card>}
      <ul className="grid gap-4 md:grid-cols-[repeat(auto-fit,minmax(15rem,1fr))]">
        {offers.map((offer) => (
          <li key={offer.plan.id}>
            <OfferCard
              offer={offer}
              overdue={Boolean(subscription && isOverdue(subscription))}
              pending={checkout.pending && paying === offer.plan.id}
              busy={checkout.pending}
              onSelect={() => select(offer)}
            />
          </li>
        ))}
      </ul>
      {shown.length > 1 && <PlanComparison plans={shown} />}
      <Suspense fallback={null}>
        {chosen?.action === "change" && subscription && (
          <ChangePlanDialog plan={chosen.plan} subscription={subscription} onClose={close} />
        )}
        {chosen?.action === "cancel" && subscription && (
          <CancelDialog subscription={subscription} onClose={close} />
        )}
        {(chosen?.action === "keep" || chosen?.action === "reactivate") && subscription && (
          <KeepDialog subscription={subscription} onClose={close} />
        )}
      </Suspense>
    </Section>
  );
}

interface OfferCardProps {
  offer: Offer;
  overdue: boolean;
  pending: boolean;
  busy: boolean;
  onSelect: () => void;
}

function OfferCard({ offer, overdue, pending, busy, onSelect }: OfferCardProps) {
  const t = useText();
  const { plan, action, isCurrent, blocked } = offer;
  const words: Record<OfferAction, string> = {
    checkout: t("plans.choose", { plan: plan.name }),
    change: t("plans.change", { plan: plan.name }),
    cancel: t("plans.cancel", { plan: plan.name }),
    keep: t("plans.keep", { plan: plan.name }),
    reactivate: t("plans.keep", { plan: plan.name }),
    none: isCurrent ? t("plans.current") : t("plans.select"), // the latter only where it is blocked
  };
  const reasons = { payment: t("plans.blockedPayment"), paused: t("plans.blockedPaused") };
  return (
    <PlanCard
      plan={plan}
      isCurrent={isCurrent}
      action={words[action]}
      badge={<OfferBadge offer={offer} overdue={overdue} />}
      note={blocked ? reasons[blocked] : undefined}
      disabled={action === "none" || (busy && !pending)}
      pending={pending}
      variant={action === "cancel" ? "secondary" : "primary"}
      onSelect={action === "none" && !blocked ? undefined : onSelect}
    />
  );
}

function OfferBadge({ offer, overdue }: { offer: Offer; overdue: boolean }) {
  const t = useText();
  const { formats } = useBilling();
  if (offer.from)
    return <Badge level="info">{t("plans.scheduled", { date: formats.shortDay(offer.from) })}</Badge>;
  if (!offer.isCurrent) return null;
  if (overdue) return <Badge level="bad">{t("status.past_due")}</Badge>;
  if (offer.until)
    return <Badge level="warn">{t("plans.until", { date: formats.shortDay(offer.until) })}</Badge>;
  return <Badge level="info">{t("plans.yours")}</Badge>;
}
