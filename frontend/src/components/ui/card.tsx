import type { ComponentProps } from "react";
import { cn } from "../../lib/cn";

interface CardProps extends ComponentProps<"div"> {
  /** The colour of its edge; two classes for one thing would fight. */
  edge?: string;
}

export function Card({ edge = "border-line", className, ...props }: CardProps) {
  return (
    <div className={cn("rounded-2xl border bg-surface p-5 shadow-card sm:p-6", edge, className)} {...props} />
  );
}
