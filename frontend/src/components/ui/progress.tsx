import { Indicator, Root } from "@radix-ui/react-progress";
import { cn } from "../../lib/cn";

interface ProgressProps {
  /** Percent; what is beyond 100 fills the bar. */
  value: number;
  label: string;
  /** The value as people say it. */
  text: string;
  level: "normal" | "warn" | "bad";
}

const COLOURS = { normal: "bg-accent", warn: "bg-warn-fill", bad: "bg-bad" };

export function Progress({ value, label, text, level }: ProgressProps) {
  const percent = Math.max(0, Math.min(100, value));
  return (
    <Root
      value={percent}
      getValueLabel={() => text}
      aria-label={label}
      className="h-2.5 overflow-hidden rounded-full bg-sunken"
    >
      <Indicator
        className={cn("h-full rounded-full transition-[width] duration-500", COLOURS[level])}
        style={{ width: `${percent}%` }}
      />
    </Root>
  );
}
