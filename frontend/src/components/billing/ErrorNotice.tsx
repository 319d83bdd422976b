import { useEffect, useMemo, useRef, useState } from "react";
import { useText } from "../../i18n";
import { loginAddress } from "../../lib/browser";
import { cn } from "../../lib/cn";
import { ApiError, isApiError } from "../../services/errors";
import { useBilling } from "../BillingProvider";
import { Alert } from "../ui/alert";
import { Button } from "../ui/button";

interface ErrorNoticeProps {
  error: unknown;
  onRetry?: (() => unknown) | undefined;
  /** Bring it into sight: what was clicked may be far from it. */
  reveal?: boolean;
  className?: string;
}

/** A failure in the API's own words, with the way out where there is one. Nothing at all without an error. */
export function ErrorNotice({ error, onRetry, reveal = false, className }: ErrorNoticeProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (error && reveal) place.current?.scrollIntoView?.({ block: "nearest" });
  }, [error, reveal]);
  return (
    <div ref={place} role="alert" className={cn("scroll-my-6", error ? className : null)}>
      {error ? <Failure error={error} onRetry={onRetry} /> : null}
    </div>
  );
}

function Failure({ error, onRetry }: ErrorNoticeProps) {
  const t = useText();
  const { config } = useBilling();
  const known = useMemo(() => (error instanceof ApiError ? error : new ApiError("unexpected", "")), [error]);
  const waiting = useWait(known);
  const confirm = known.paymentUrl;
  const signIn = known.status === 401 && config.loginUrl ? loginAddress(config.loginUrl) : null;
  const refused = known.status === 400 || known.status === 401; // as it will be when it is sent again
  const retry = onRetry && !refused && !confirm ? onRetry : null;
  return (
    <Alert
      level={confirm || known.status === 401 ? "warn" : "bad"}
      actions={
        (confirm || signIn || retry) && (
          <>
            {confirm && <LinkButton href={confirm} label={t("error.confirmPayment")} />}
            {signIn && <LinkButton href={signIn} label={t("error.signIn")} />}
            {retry && (
              <Button small variant="secondary" disabled={waiting} onClick={() => retry()}>
                {t("error.retry")}
              </Button>
            )}
          </>
        )
      }
    >
      {sentenceOf(known, t)}
      {waiting && ` ${t("error.retryIn", { count: known.retryAfter ?? 0 })}`}
    </Alert>
  );
}

function LinkButton({ href, label }: { href: string; label: string }) {
  return (
    <Button small asChild>
      <a href={href}>{label}</a>
    </Button>
  );
}

function sentenceOf(error: ApiError, t: ReturnType<typeof useText>): string {
  if (error.status === 401) return t("error.signedOut"); // the API's own sentence is for developers
  if (error.message) return error.message;
  if (isApiError(error, "network")) return t("error.network");
  if (isApiError(error, "timeout")) return t("error.timeout");
  return isApiError(error, "redirect") ? t("error.redirect") : t("error.unexpected");
}

/** Whether it is too early to try again. */
function useWait(error: ApiError): boolean {
  const [over, setOver] = useState<ApiError | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setOver(error), (error.retryAfter ?? 0) * 1000);
    return () => clearTimeout(timer);
  }, [error]);
  return error.retryAfter !== null && over !== error;
}
