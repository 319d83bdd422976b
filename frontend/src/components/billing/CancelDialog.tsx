import { usePlans, useSubscriptionActions } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import { freePlan, hasAccess, isOverdue, isPaused, keepsUntil } from "../../lib/subscription";
import type { UserSubscription } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { useNotices } from "../Notices";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { ErrorNotice } from "./ErrorNotice";

interface CancelDialogProps {
  subscription: UserSubscription;
  onClose: () => void;
}

/** What happens when, and only then the button that does it. */
export default function CancelDialog({ subscription, onClose }: CancelDialogProps) {
  const t = useText();
  const { notify } = useNotices();
  const { cancel } = useSubscriptionActions();
  const plan = subscription.plan.name;
  const confirm = async () => {
    const answer = await cancel.run();
    if (!answer) return;
    notify("good", answer.message);
    onClose();
  };
  return (
    <Dialog
      title={t("cancel.title", { plan })}
      onClose={onClose}
      pending={cancel.pending}
      footer={
        <>
          <Button variant="secondary" disabled={cancel.pending} onClick={onClose}>
            {t("cancel.back", { plan })}
          </Button>
          <Button variant="danger" pending={cancel.pending} onClick={confirm}>
            {t("cancel.confirm")}
          </Button>
        </>
      }
    >
      <ul className="list-disc flex flex-col gap-2 pl-5 marker:text-muted">
        {useConsequences(subscription).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <ErrorNotice error={cancel.error} reveal />
    </Dialog>
  );
}

function useConsequences(subscription: UserSubscription): string[] {
  const t = useText();
  const { formats } = useBilling();
  const { plans } = usePlans();
  const free = freePlan(plans)?.name ?? t("standing.freePlan");
  if (isPaused(subscription)) return [t("cancel.now", { free }), t("cancel.charges")];
  const words = { plan: subscription.plan.name, date: formats.day(keepsUntil(subscription)) };
  const pending = subscription.pending_plan?.name;
  return [
    hasAccess(subscription) ? t("cancel.until", words) : t("cancel.noAccess", { free }),
    t("cancel.then", { free }),
    isOverdue(subscription) ? t("cancel.openCharges") : t("cancel.charges"),
    ...(pending ? [t("cancel.pending", { plan: pending })] : []),
    t("cancel.undo"),
  ];
}
