import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { cn } from "../../lib/cn";
import type { ShownPlan } from "../../types/billing";
import { Button, type ButtonProps } from "../ui/button";
import { Card } from "../ui/card";
import { Icon } from "../ui/icon";

interface PlanCardProps {
  plan: ShownPlan;
  /** Without it a plan that is not the current one has no button. */
  onSelect?: (() => void) | undefined;
  isCurrent?: boolean;
  /** The words on the button, where "Select Plan" says too little. */
  action?: string;
  badge?: ReactNode;
  /** A sentence above the button, such as why it does nothing. */
  note?: string | undefined;
  disabled?: boolean;
  pending?: boolean;
  variant?: ButtonProps["variant"];
}

export function PlanCard({
  plan,
  onSelect,
  isCurrent = false,
  action,
  badge,
  note,
  disabled = isCurrent,
  pending = false,
  variant = "primary",
}: PlanCardProps) {
  const t = useText();
  const words = action ?? (isCurrent ? t("plans.current") : t("plans.select"));
  return (
    <Card
      edge={isCurrent ? "border-accent" : "border-line"}
      className={cn("flex h-full flex-col", isCurrent && "ring-1 ring-accent")}
    >
      <div className="flex min-h-7 flex-wrap items-center justify-between gap-2">
        <h3 className="font-semibold text-lg">{plan.name}</h3>
        {badge}
      </div>
      {plan.description && <p className="mt-1 text-muted text-sm">{plan.description}</p>}
      <p className="mt-5 font-bold text-2xl tracking-tight">{plan.price_display}</p>
      <ul
        aria-label={t("plans.includes", { plan: plan.name })}
        className="mt-5 flex flex-col gap-2.5 text-sm"
      >
        {plan.features.map((feature) => (
          <li key={feature} className="flex gap-2.5">
            <Icon name="check" className="text-accent" />
            <span className="min-w-0">{feature}</span>
          </li>
        ))}
      </ul>
      <div className="mt-auto pt-7">
        {note && <p className="mb-3 text-muted text-sm">{note}</p>}
        {(onSelect || isCurrent) && (
          <Button
            onClick={onSelect}
            disabled={disabled}
            pending={pending}
            variant={variant}
            className="w-full"
          >
            {words}
          </Button>
        )}
      </div>
    </Card>
  );
}
