import { Slot, Slottable } from "@radix-ui/react-slot";
import type { ComponentProps, MouseEvent } from "react";
import { cn } from "../../lib/cn";
import { Spinner } from "./spinner";

const VARIANTS = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  secondary: "border border-control bg-surface text-text hover:bg-sunken",
  danger: "bg-bad text-surface hover:bg-bad-strong",
  quiet: "text-accent hover:bg-accent-soft",
};

export interface ButtonProps extends ComponentProps<"button"> {
  variant?: keyof typeof VARIANTS;
  small?: boolean;
  /** While what it does is under way: it keeps the focus, and does nothing. */
  pending?: boolean;
  asChild?: boolean;
}

export function Button({
  variant = "primary",
  small = false,
  pending = false,
  asChild = false,
  className,
  children,
  onClick,
  ...props
}: ButtonProps) {
  const Element = asChild ? Slot : "button";
  const click = (event: MouseEvent<HTMLButtonElement>) => {
    if (pending) event.preventDefault();
    else onClick?.(event);
  };
  return (
    <Element
      {...(asChild ? {} : { type: "button" })}
      {...props}
      onClick={click}
      aria-disabled={pending || undefined}
      aria-busy={pending || undefined}
      className={cn(
        "inline-flex cursor-pointer items-center justify-center gap-2 rounded-lg text-center font-semibold no-underline transition-colors",
        "disabled:cursor-default disabled:border disabled:border-line disabled:bg-sunken disabled:text-muted",
        "aria-disabled:cursor-progress",
        small ? "min-h-9 px-3 py-1.5 text-sm" : "min-h-11 px-4 py-2 text-sm",
        VARIANTS[variant],
        className,
      )}
    >
      {pending && <Spinner />}
      <Slottable>{children}</Slottable>
    </Element>
  );
}
