import type { ReactNode } from "react";
import { cn } from "../../lib/cn";
import { Icon } from "./icon";

interface DisclosureProps {
  summary: string;
  className?: string;
  children: ReactNode;
}

/** Something more, one click away; the browser's own element. */
export function Disclosure({ summary, className, children }: DisclosureProps) {
  return (
    <details className={cn("group", className)}>
      <summary className="inline-flex min-h-9 list-none items-center gap-1.5 rounded-lg font-semibold text-accent text-sm">
        <Icon name="chevron" className="-ml-0.5 size-4 transition-transform group-open:rotate-90" />
        {summary}
      </summary>
      <div className="mt-3">{children}</div>
    </details>
  );
}
