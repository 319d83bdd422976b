import type { ReactNode } from "react";
import { cn } from "../../lib/cn";
import type { Level } from "../../lib/standing";

const LEVELS: Record<Level, string> = {
  good: "bg-good-soft text-good",
  info: "bg-accent-soft text-accent",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  plain: "bg-sunken text-muted",
};

export function Badge({ level, children }: { level: Level; children: ReactNode }) {
  return (
    <span
      className={cn(
        "inline-flex items-center rounded-full px-2.5 py-0.5 font-semibold text-xs whitespace-nowrap",
        LEVELS[level],
      )}
    >
      {children}
    </span>
  );
}
