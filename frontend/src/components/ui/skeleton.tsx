import { useSlow } from "../../hooks/useSlow";
import { useText } from "../../i18n";
import { cn } from "../../lib/cn";

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden="true" className={cn("animate-pulse rounded-lg bg-sunken", className)} />;
}

/** What stands where something is being loaded, and a word once that takes long. */
export function Loading({ lines = 3, className }: { lines?: number; className?: string }) {
  const t = useText();
  const slow = useSlow(true);
  return (
    <div className={className}>
      <div className="flex flex-col gap-3">
        {WIDTHS.slice(0, lines).map((width) => (
          <Skeleton key={width} className={cn("h-5", width)} />
        ))}
      </div>
      <p role="status" className={slow ? "mt-4 text-muted text-sm" : "sr-only"}>
        {slow ? t("page.slow") : t("page.loading")}
      </p>
    </div>
  );
}

const WIDTHS = ["w-2/5", "w-full", "w-4/5", "w-11/12", "w-3/5", "w-5/6"];
