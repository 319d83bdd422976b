import * as Radix from "@radix-ui/react-dialog";
import { type ReactNode, useRef } from "react";
import { useText } from "../../i18n";
import { useBilling } from "../BillingProvider";
import { useNotices } from "../Notices";
import { Icon } from "./icon";

interface DialogProps {
  title: string;
  /** Shut by Escape, by the cross or beside it; not while something is under way. */
  onClose: () => void;
  pending?: boolean;
  children: ReactNode;
  footer: ReactNode;
}

/**
 * A modal dialog. Radix's own overlay is left out: it puts a <style> into the page, which a strict
 * Content-Security-Policy refuses.
 */
export function Dialog({ title, onClose, pending = false, children, footer }: DialogProps) {
  const t = useText();
  const { root } = useBilling();
  const { told, focus } = useNotices();
  const before = useRef({ opener: document.activeElement, told: told.current });
  const close = (open: boolean) => {
    if (!open && !pending) onClose();
  };
  return (
    <Radix.Root open onOpenChange={close}>
      <Radix.Portal container={root}>
        <div
          data-vqb-dialog=""
          className="fixed inset-0 z-50 grid items-end overflow-y-auto overscroll-contain bg-backdrop p-4 sm:items-center sm:p-6"
        >
          <Radix.Content
            aria-describedby={undefined}
            onCloseAutoFocus={(event) => {
              event.preventDefault();
              // To what came of it, which also scrolls that into sight; or back to where one came from.
              const news = told.current > before.current.told;
              if (news || !refocus(before.current.opener)) focus();
            }}
            className="relative mx-auto w-full max-w-lg animate-appear rounded-2xl bg-surface p-5 shadow-dialog sm:p-7"
          >
            <Radix.Title className="pr-10 font-semibold text-text text-xl tracking-tight">
              {title}
            </Radix.Title>
            <Radix.Close asChild>
              <button
                type="button"
                aria-label={t("page.close")}
                disabled={pending}
                className="absolute top-3.5 right-3.5 grid size-10 cursor-pointer place-items-center rounded-lg text-muted hover:bg-sunken hover:text-text disabled:opacity-50 sm:top-5 sm:right-5"
              >
                <Icon name="cross" />
              </button>
            </Radix.Close>
            <div className="mt-4 flex flex-col gap-4 text-base text-text">{children}</div>
            <div className="mt-7 flex flex-col-reverse gap-3 sm:flex-row sm:justify-end">{footer}</div>
          </Radix.Content>
        </div>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Back to the button that opened it, where that is still there. */
function refocus(element: Element | null): boolean {
  if (!(element instanceof HTMLElement) || !element.isConnected || element.matches(":disabled")) return false;
  element.focus();
  return document.activeElement === element;
}
