import { lazy, Suspense } from "react";
import { useUsage } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import type { Resource, UsageRecord } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { Card } from "../ui/card";
import { Icon } from "../ui/icon";
import { Progress } from "../ui/progress";
import { Loading } from "../ui/skeleton";
import { ErrorBoundary } from "./ErrorBoundary";
import { ErrorNotice } from "./ErrorNotice";
import { Section } from "./Section";

const UsageChart = lazy(() => import("./UsageChart"));

/** What is used of what in this period, and how it was in the past twelve months. */
export function UsageDashboard() {
  const t = useText();
  const { formats } = useBilling();
  const { usage, loading, error, refetch } = useUsage();
  const period = usage && {
    start: formats.shortDay(usage.billing_period_start),
    end: formats.shortDay(usage.billing_period_end),
  };
  return (
    <Section
      title={t("usage.title")}
      aside={period && <p className="text-muted text-sm">{t("usage.period", period)}</p>}
    >
      <Card>
        {loading && <Loading lines={4} />}
        <ErrorNotice error={usage ? null : error} onRetry={refetch} />
        {usage === null && <p className="text-muted">{t("usage.empty")}</p>}
        {usage && (
          <>
            <div className="grid gap-x-10 gap-y-7 md:grid-cols-2">
              <Meter usage={usage} resource="video" />
              <Meter usage={usage} resource="transcription" />
            </div>
            <p className="mt-5 text-muted text-sm">
              {t("usage.resets", { date: formats.day(usage.billing_period_end) })}
              {usage.updated_at && ` ${t("usage.updated", { time: formats.time(usage.updated_at) })}`}
            </p>
            <div className="mt-7 border-line border-t pt-6">
              <ErrorBoundary>
                <Suspense fallback={<Loading lines={3} />}>
                  <UsageChart current={usage} />
                </Suspense>
              </ErrorBoundary>
            </div>
          </>
        )}
      </Card>
    </Section>
  );
}

function Meter({ usage, resource }: { usage: UsageRecord; resource: Resource }) {
  const t = useText();
  const { used, limit, percent, over } = useFigures(usage, resource);
  const reached = usage.warnings.filter((warning) => warning.resource === resource && warning.reached);
  const threshold = Math.max(0, ...reached.map((warning) => warning.threshold));
  const level = threshold >= 100 ? "bad" : threshold > 0 ? "warn" : "normal";
  const name = resource === "video" ? t("usage.videos") : t("usage.transcription");
  return (
    <div>
      <div className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-semibold">{name}</h3>
        <p className="text-sm tabular-nums">
          <span className="font-semibold">{limit ?? used}</span>
          {limit === null && <span className="text-muted"> · {t("usage.unlimited")}</span>}
        </p>
      </div>
      {limit !== null && percent !== null && (
        <Progress value={percent} label={name} text={limit} level={level} />
      )}
      {threshold > 0 && (
        <p className={`mt-2 flex items-start gap-1.5 text-sm ${level === "bad" ? "text-bad" : "text-warn"}`}>
          <Icon name="warning" className="mt-0.5 size-4" />
          {threshold >= 100 ? t("usage.full") : t("usage.warning", { threshold })}
        </p>
      )}
      {over && <p className="mt-1 text-muted text-sm">{over}</p>}
    </div>
  );
}

/** One resource's figures in words: "12 of 50 videos", "45.5 of 300 minutes". */
function useFigures(usage: UsageRecord, resource: Resource) {
  const t = useText();
  const { number } = useBilling().formats;
  if (resource === "video") {
    const { video_count: count, video_limit: limit, overage } = usage;
    return {
      used: t("usage.videosUsed", { count, used: number(count) }),
      limit:
        limit === null
          ? null
          : t("usage.ofVideos", { count: limit, used: number(count), limit: number(limit) }),
      percent: usage.video_usage_percentage,
      over: overage.video_count > 0 ? t("usage.overVideos", { count: overage.video_count }) : null,
    };
  }
  const { transcription_minutes: minutes, transcription_limit_minutes: limit, overage } = usage;
  const over = overage.transcription_seconds / 60;
  return {
    used: t("usage.minutesUsed", { count: minutes, used: number(minutes) }),
    limit:
      limit === null
        ? null
        : t("usage.ofMinutes", { count: limit, used: number(minutes), limit: number(limit) }),
    percent: usage.transcription_usage_percentage,
    over: over > 0 ? t("usage.overMinutes", { count: over, used: number(over) }) : null,
  };
}
