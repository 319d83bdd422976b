import { useSubscriptionActions } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import type { UserSubscription } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { useNotices } from "../Notices";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { ErrorNotice } from "./ErrorNotice";

interface KeepDialogProps {
  subscription: UserSubscription;
  onClose: () => void;
}

/** Take back a cancellation, or a change that is scheduled. */
export default function KeepDialog({ subscription, onClose }: KeepDialogProps) {
  const t = useText();
  const { formats } = useBilling();
  const { notify } = useNotices();
  const { reactivate, change } = useSubscriptionActions();
  const { plan, cancel_at_period_end: cancelled } = subscription;
  const action = cancelled ? reactivate : change;
  const words = {
    plan: plan.name,
    date: formats.day(subscription.current_period_end),
    price: plan.price_display,
  };
  const confirm = async () => {
    const kept = cancelled ? await reactivate.run() : await change.run(plan.id);
    if (!kept) return;
    const date = formats.day(kept.current_period_end);
    notify("good", t("reactivate.done", { plan: kept.plan.name, date }));
    onClose();
  };
  return (
    <Dialog
      title={t("reactivate.title", words)}
      onClose={onClose}
      pending={action.pending}
      footer={
        <>
          <Button variant="secondary" disabled={action.pending} onClick={onClose}>
            {t("reactivate.back")}
          </Button>
          <Button pending={action.pending} onClick={confirm}>
            {t("reactivate.confirm", words)}
          </Button>
        </>
      }
    >
      <p>{cancelled ? t("reactivate.body", words) : t("reactivate.keepBody", words)}</p>
      <ErrorNotice error={action.error} reveal />
    </Dialog>
  );
}
