import { usePaymentMethod, usePortal, useSubscription } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import { now } from "../../lib/clock";
import { isBilled } from "../../lib/subscription";
import type { PaymentMethod } from "../../types/billing";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Icon } from "../ui/icon";
import { Loading } from "../ui/skeleton";
import { ErrorNotice } from "./ErrorNotice";
import { Section } from "./Section";

/** The card that pays next, and the way to the payment provider's portal. */
export function PaymentMethodCard() {
  const t = useText();
  const { card, loading, error, refetch } = usePaymentMethod();
  const { subscription } = useSubscription();
  const portal = usePortal();
  const billed = Boolean(subscription && isBilled(subscription));
  // Who pays has a card, though a site without dj-stripe does not know which one.
  const told = card && (card.last4 !== null || (subscription && !billed));
  return (
    <Section title={t("payment.title")}>
      <Card className="flex-1">
        {loading && <Loading lines={2} />}
        {!card && <ErrorNotice error={error} onRetry={refetch} />}
        {told && <KnownCard card={card} />}
        {card && (billed || card.last4) && (
          <>
            <Button
              variant="secondary"
              className={told ? "mt-6" : ""}
              pending={portal.pending}
              onClick={() => portal.run()}
            >
              {t("payment.manage")}
            </Button>
            <p className="mt-3 text-muted text-sm">{t("payment.hint")}</p>
          </>
        )}
        <ErrorNotice error={portal.error} onRetry={portal.run} className="mt-4" />
      </Card>
    </Section>
  );
}

function KnownCard({ card }: { card: PaymentMethod }) {
  const t = useText();
  const { brand, last4, exp_month: month, exp_year: year } = card;
  const known = last4 !== null;
  return (
    <div className="flex items-center gap-4">
      <span className="grid h-10 w-14 shrink-0 place-items-center rounded-lg border border-line bg-sunken text-muted">
        <Icon name="card" />
      </span>
      <div className="min-w-0">
        <p className={known ? "font-semibold" : "text-muted"}>
          {known ? t("payment.card", { brand: brandName(brand), last4 }) : t("payment.none")}
        </p>
        {known && month && year && (
          <p className="text-muted text-sm">
            {t("payment.expires", { month: String(month).padStart(2, "0"), year })}
          </p>
        )}
        {known && month && year && isOver(month, year) && (
          <p className="text-bad text-sm">{t("payment.expired")}</p>
        )}
        {!known && <p className="text-muted text-sm">{t("payment.noneFree")}</p>}
      </div>
    </div>
  );
}

/** A card holds until the end of its month. */
function isOver(month: number, year: number): boolean {
  return now() >= Date.UTC(year, month, 1);
}

const BRANDS: Record<string, string> = {
  amex: "American Express",
  diners: "Diners Club",
  jcb: "JCB",
  mastercard: "Mastercard",
  unionpay: "UnionPay",
};

function brandName(brand: string | null): string {
  const name = brand ?? "";
  return BRANDS[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}
