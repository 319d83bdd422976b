import { useUsageHistory } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import type { UsageRecord } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { Disclosure } from "../ui/disclosure";
import { Loading } from "../ui/skeleton";
import { ErrorNotice } from "./ErrorNotice";

const MONTHS = 12;

/** A year of periods as bars, oldest first; the same as a table for whoever does not see bars. */
export default function UsageChart({ current }: { current: UsageRecord }) {
  const t = useText();
  const { periods, loading, error, refetch } = useUsageHistory(MONTHS - 1);
  if (loading) return <Loading lines={3} />;
  if (error && !periods) return <ErrorNotice error={error} onRetry={refetch} />;
  const shown = [current, ...(periods ?? [])].reverse();
  return (
    <>
      <h3 className="font-semibold">{t("usage.chart")}</h3>
      {shown.length === 1 ? (
        <p className="mt-2 text-muted text-sm">{t("usage.chartEmpty")}</p>
      ) : (
        <>
          <div className="mt-5 grid gap-x-10 gap-y-8 md:grid-cols-2">
            <Bars title={t("usage.chartVideos")} periods={shown} value={(period) => period.video_count} />
            <Bars
              title={t("usage.chartMinutes")}
              periods={shown}
              value={(period) => period.transcription_minutes}
            />
          </div>
          <Disclosure summary={t("usage.table")} className="mt-4">
            <Table periods={shown} />
          </Disclosure>
        </>
      )}
    </>
  );
}

interface BarsProps {
  title: string;
  periods: UsageRecord[];
  value: (period: UsageRecord) => number;
}

function Bars({ title, periods, value }: BarsProps) {
  const t = useText();
  const { formats } = useBilling();
  const values = periods.map(value);
  const highest = Math.max(...values);
  const last = values.length - 1;
  const summary = t("usage.chartSummary", {
    title,
    highest: formats.number(highest),
    latest: formats.number(values[last] ?? 0),
  });
  return (
    <figure className="min-w-0">
      <figcaption className="mb-4 text-muted text-sm">{title}</figcaption>
      <div role="img" aria-label={summary} className="flex h-36 items-end gap-1">
        {periods.map((period, index) => (
          <div
            key={period.billing_period_start}
            title={`${formats.date(period.billing_period_start)}: ${formats.number(values[index] ?? 0)}`}
            className="flex h-full min-w-0 max-w-14 flex-1 flex-col justify-end text-center text-muted text-xs"
          >
            <span className="-mx-1 whitespace-nowrap tracking-tight tabular-nums">
              {compact(values[index] ?? 0)}
            </span>
            <span
              data-vqb-bar=""
              className={`mx-auto mt-1 block w-4/5 rounded-t-md ${index === last ? "bg-accent" : "bg-accent/35"}`}
              style={{ height: height(values[index] ?? 0, highest) }}
            />
            <span className="border-line border-t pt-1 tracking-tight whitespace-nowrap">
              <span className="sm:hidden">{formats.letter(period.billing_period_start)}</span>
              <span className="hidden sm:inline">{formats.month(period.billing_period_start)}</span>
            </span>
          </div>
        ))}
      </div>
    </figure>
  );
}

/** A value of nothing keeps a line, so that its month does not look left out. */
function height(value: number, highest: number): string {
  return value === 0 || highest === 0 ? "2px" : `max(4px, ${(value / highest) * 65}%)`;
}

function compact(value: number): string {
  return value >= 1000 ? `${Math.round(value / 100) / 10}k` : String(Math.round(value));
}

function Table({ periods }: { periods: UsageRecord[] }) {
  const t = useText();
  const { formats } = useBilling();
  return (
    <table className="max-w-xl text-sm">
      <caption className="sr-only">{t("usage.chart")}</caption>
      <thead>
        <tr className="border-line border-b text-muted">
          <th scope="col" className="py-2 text-start align-bottom font-medium">
            {t("usage.columnPeriod")}
          </th>
          <th scope="col" className="py-2 pl-4 text-end align-bottom font-medium">
            {t("usage.columnVideos")}
          </th>
          <th scope="col" className="py-2 pl-4 text-end align-bottom font-medium">
            {t("usage.columnMinutes")}
          </th>
        </tr>
      </thead>
      <tbody className="tabular-nums">
        {periods.map((period) => (
          <tr key={period.billing_period_start} className="border-line border-b last:border-0">
            <th scope="row" className="py-2 text-start whitespace-nowrap">
              {formats.date(period.billing_period_start)}
            </th>
            <td className="py-2 pl-4 text-end">{formats.number(period.video_count)}</td>
            <td className="py-2 pl-4 text-end">{formats.number(period.transcription_minutes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
