import type { ReactNode } from "react";
import { useText } from "../../i18n";
import type { SubscriptionPlan } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { Disclosure } from "../ui/disclosure";

/** The plans in a table; it can be scrolled sideways where it is too wide, by keyboard, too. */
export function PlanComparison({ plans }: { plans: SubscriptionPlan[] }) {
  const t = useText();
  const { formats } = useBilling();
  const amount = (limit: number | null) => (limit === null ? t("plans.unlimited") : formats.number(limit));
  return (
    <Disclosure summary={t("plans.compare")} className="mt-4">
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        aria-label={t("plans.compare")}
        className="overflow-x-auto rounded-xl border border-line bg-surface"
      >
        <table className="min-w-md text-sm">
          <thead>
            <tr>
              <Head scope="col">{t("plans.feature")}</Head>
              {plans.map((plan) => (
                <Head key={plan.id} scope="col">
                  {plan.name}
                </Head>
              ))}
            </tr>
          </thead>
          <tbody>
            <Row name={t("plans.price")} values={plans.map((plan) => plan.price_display)} />
            <Row name={t("plans.videos")} values={plans.map((plan) => amount(plan.video_limit))} />
            <Row
              name={t("plans.minutes")}
              values={plans.map((plan) => amount(plan.transcription_limit_minutes))}
            />
          </tbody>
        </table>
      </section>
    </Disclosure>
  );
}

function Head({ scope, children }: { scope: "col" | "row"; children: ReactNode }) {
  return (
    <th scope={scope} className={`px-4 py-3 text-start ${scope === "col" ? "font-semibold" : "text-muted"}`}>
      {children}
    </th>
  );
}

function Row({ name, values }: { name: string; values: string[] }) {
  return (
    <tr className="border-line border-t">
      <Head scope="row">{name}</Head>
      {values.map((value, column) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: columns never move
        <td key={column} className="px-4 py-3 whitespace-nowrap tabular-nums">
          {value}
        </td>
      ))}
    </tr>
  );
}
