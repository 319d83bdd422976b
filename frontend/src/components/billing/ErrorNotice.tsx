import { useEffect, useState } from "react";
import { useText } from "../../i18n";
import { loginAddress } from "../../lib/browser";
import { ApiError, isApiError } from "../../services/errors";
import { useBilling } from "../BillingProvider";
import { Alert } from "../ui/alert";
import { Button } from "../ui/button";

interface ErrorNoticeProps {
  error: unknown;
  onRetry?: (() => unknown) | undefined;
  className?: string;
}

/** A failure in the API's own words, with the way out where there is one. Nothing at all without an error. */
export function ErrorNotice({ error, onRetry, className }: ErrorNoticeProps) {
  return (
    <div role="alert" className={error ? className : undefined}>
      {error ? <Failure error={error} onRetry={onRetry} key={String(error)} /> : null}
    </div>
  );
}

function Failure({ error, onRetry }: ErrorNoticeProps) {
  const t = useText();
  const { config } = useBilling();
  const known = error instanceof ApiError ? error : new ApiError("unexpected", "");
  const wait = useCountdown(known.retryAfter ?? 0);
  const confirm = known.paymentUrl;
  const signIn = known.status === 401 && config.loginUrl ? loginAddress(config.loginUrl) : null;
  const retry = onRetry && known.status !== 401 && !confirm ? onRetry : null;
  return (
    <Alert
      level={confirm || known.status === 401 ? "warn" : "bad"}
      actions={
        (confirm || signIn || retry) && (
          <>
            {confirm && <LinkButton href={confirm} label={t("error.confirmPayment")} />}
            {signIn && <LinkButton href={signIn} label={t("error.signIn")} />}
            {retry && (
              <Button small variant="secondary" disabled={wait > 0} onClick={() => retry()}>
                {t("error.retry")}
              </Button>
            )}
          </>
        )
      }
    >
      {sentenceOf(known, t)}
      {known.retryAfter ? <Wait seconds={known.retryAfter} /> : null}
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

/** Said once, and not again each second. */
function Wait({ seconds }: { seconds: number }) {
  const t = useText();
  return <> {t("error.retryIn", { count: seconds })}</>;
}

function sentenceOf(error: ApiError, t: ReturnType<typeof useText>): string {
  if (error.status === 401) return t("error.signedOut");
  if (error.message) return error.message;
  if (isApiError(error, "network")) return t("error.network");
  if (isApiError(error, "timeout")) return t("error.timeout");
  return isApiError(error, "redirect") ? t("error.redirect") : t("error.unexpected");
}

function useCountdown(seconds: number): number {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return left;
}
