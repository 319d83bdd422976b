import { useChangePreview, useSubscription, useSubscriptionActions } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import { isRunning } from "../../lib/subscription";
import { isApiError } from "../../services/errors";
import type { ChangePreview, SubscriptionPlan, UserSubscription } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { useNotices } from "../Notices";
import { Alert } from "../ui/alert";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Loading } from "../ui/skeleton";
import { ErrorNotice } from "./ErrorNotice";

interface ChangePlanDialogProps {
  plan: SubscriptionPlan;
  subscription: UserSubscription;
  onClose: () => void;
}

/** First what the change costs and when it happens; then, confirmed, the change. */
export default function ChangePlanDialog({ plan, subscription, onClose }: ChangePlanDialogProps) {
  const t = useText();
  const { formats } = useBilling();
  const { notify } = useNotices();
  const { preview, loading, error, refetch } = useChangePreview(plan.id);
  const { change } = useSubscriptionActions();
  const { checkout } = useSubscription();

  const confirm = async () => {
    const changed = await change.run(plan.id);
    if (!changed) return;
    if (changed.pending_plan && changed.pending_plan_effective_at) {
      const date = formats.day(changed.pending_plan_effective_at);
      notify("good", t("change.doneLater", { plan: changed.pending_plan.name, date }));
    } else if (changed.plan.id === plan.id) notify("good", t("change.doneNow", { plan: plan.name }));
    else notify("info", t("change.requested"));
    onClose();
  };
  // A plan that was given, not sold: nothing is billed that could be changed.
  const unsold = isApiError(error, "conflict") && isRunning(subscription);
  const pending = change.pending || checkout.pending;
  return (
    <Dialog
      title={t("change.title", { plan: plan.name })}
      onClose={onClose}
      pending={pending}
      footer={
        <>
          <Button variant="secondary" disabled={pending} onClick={onClose}>
            {t("change.back")}
          </Button>
          {unsold && (
            <Button pending={checkout.pending} onClick={() => checkout.run(plan.id)}>
              {t("error.checkout")}
            </Button>
          )}
          {preview && !(isApiError(change.error) && change.error.paymentUrl) && (
            <Button pending={change.pending} onClick={confirm}>
              {confirmation(preview, t)}
            </Button>
          )}
        </>
      }
    >
      {loading && <Loading lines={4} />}
      <ErrorNotice error={error} onRetry={unsold ? undefined : refetch} />
      {preview && <Preview preview={preview} from={subscription.plan.name} />}
      <ErrorNotice error={change.error ?? checkout.error} reveal />
    </Dialog>
  );
}

function confirmation(preview: ChangePreview, t: ReturnType<typeof useText>): string {
  if (!preview.immediate) return t("change.confirmLater");
  if (preview.amount_due_cents <= 0) return t("change.confirmNow");
  return t("change.confirmPay", { amount: preview.amount_due_display });
}

function Preview({ preview, from }: { preview: ChangePreview; from: string }) {
  const t = useText();
  const { formats } = useBilling();
  const { plan } = preview;
  const date = preview.effective_at ? formats.day(preview.effective_at) : "";
  return (
    <>
      <p>
        {preview.immediate
          ? t("change.now", { plan: plan.name })
          : t("change.later", { plan: plan.name, date, from })}
      </p>
      {preview.immediate && <Bill preview={preview} />}
      <p className="text-muted text-sm">{t("change.then", { price: plan.price_display })}</p>
      {preview.exceeded_limits.length > 0 && (
        <Alert level="warn">
          <p className="font-semibold">{t("change.exceeds", { plan: plan.name })}</p>
          <ul className="mt-1 flex flex-col gap-1">
            {preview.exceeded_limits.map(({ resource, limit }) => (
              <li key={resource}>{exceeded(resource, limit)}</li>
            ))}
          </ul>
          <p className="mt-1">{preview.immediate ? t("change.exceedsNow") : t("change.exceedsLater")}</p>
        </Alert>
      )}
    </>
  );

  function exceeded(resource: string, limit: number): string {
    const count = resource === "video" ? limit : Math.floor(limit / 60);
    const words = { plan: plan.name, count, limit: formats.number(count) };
    return resource === "video" ? t("change.exceedsVideo", words) : t("change.exceedsTranscription", words);
  }
}

function Bill({ preview }: { preview: ChangePreview }) {
  const t = useText();
  const { formats } = useBilling();
  return (
    <div>
      <table className="text-sm">
        <thead className="sr-only">
          <tr>
            <th scope="col">{t("change.item")}</th>
            <th scope="col">{t("change.amount")}</th>
          </tr>
        </thead>
        <tbody>
          {preview.lines.map((line) => (
            <tr key={line.description} className="border-line border-b">
              <td className="py-2.5 pr-4 text-muted">{line.description}</td>
              <td className="py-2.5 text-end whitespace-nowrap tabular-nums">
                {formats.money(line.amount_cents, preview.currency)}
              </td>
            </tr>
          ))}
          <tr className="font-semibold text-base">
            <th scope="row" className="py-3 pr-4 text-start">
              {t("change.due")}
            </th>
            <td className="py-3 text-end whitespace-nowrap tabular-nums">{preview.amount_due_display}</td>
          </tr>
        </tbody>
      </table>
      {preview.credit_cents > 0 && (
        <p className="text-muted text-sm">
          {t("change.credit", { amount: formats.money(preview.credit_cents, preview.currency) })}
        </p>
      )}
    </div>
  );
}
