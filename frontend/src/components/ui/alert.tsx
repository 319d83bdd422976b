import type { ReactNode } from "react";
import { cn } from "../../lib/cn";
import type { Level } from "../../lib/standing";
import { Icon, type IconName } from "./icon";

const LEVELS: Record<Level, [string, IconName]> = {
  good: ["bg-good-soft text-good", "check"],
  info: ["bg-accent-soft text-accent", "info"],
  warn: ["bg-warn-soft text-warn", "warning"],
  bad: ["bg-bad-soft text-bad", "warning"],
  plain: ["bg-sunken text-text", "info"],
};

interface AlertProps {
  level: Level;
  children: ReactNode;
  actions?: ReactNode;
  onDismiss?: () => void;
  dismissLabel?: string;
  className?: string;
}

/** A coloured box with a sentence. Whether it is read out is for its surroundings to say. */
export function Alert({ level, children, actions, onDismiss, dismissLabel, className }: AlertProps) {
  const [colours, icon] = LEVELS[level];
  return (
    <div className={cn("flex gap-3 rounded-xl px-4 py-3 text-sm", colours, className)}>
      <Icon name={icon} className="mt-0.5" />
      <div className="min-w-0 flex-1">
        <div className="text-text">{children}</div>
        {actions && <div className="mt-3 flex flex-wrap gap-2">{actions}</div>}
      </div>
      {onDismiss && (
        <button
          type="button"
          aria-label={dismissLabel}
          onClick={onDismiss}
          className="-my-1.5 -mr-2 grid size-9 cursor-pointer place-items-center rounded-lg text-muted hover:text-text"
        >
          <Icon name="cross" />
        </button>
      )}
    </div>
  );
}
