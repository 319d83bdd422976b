import { cn } from "../../lib/cn";

const PATHS = {
  check: "M4 10.5l4 4 8-9",
  cross: "M5 5l10 10M15 5L5 15",
  info: "M10 9v5M10 6.2v.1M18 10a8 8 0 1 1-16 0 8 8 0 0 1 16 0z",
  warning: "M10 8v4M10 14.6v.1M10 2.8l8 14H2z",
  card: "M2.5 5.5h15v10h-15zM2.5 8.5h15M5.5 12.5h3",
  chevron: "M7.5 5l5 5-5 5",
  document: "M5 2.5h6.5L15 6v11.5H5zM11.5 2.5V6H15M7.5 10h5M7.5 13h5",
};

export type IconName = keyof typeof PATHS;

export function Icon({ name, className }: { name: IconName; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 20 20"
      className={cn("size-5", className)}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
