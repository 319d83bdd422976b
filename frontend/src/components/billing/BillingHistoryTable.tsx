import { useState } from "react";
import { useBillingHistory } from "../../hooks/useBilling";
import { useText } from "../../i18n";
import type { Level } from "../../lib/standing";
import { isWebAddress } from "../../services/errors";
import type { PaymentTransaction } from "../../types/billing";
import { useBilling } from "../BillingProvider";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Loading } from "../ui/skeleton";
import { ErrorNotice } from "./ErrorNotice";

const STATES: Record<PaymentTransaction["status"], Level> = {
  pending: "warn",
  succeeded: "good",
  failed: "bad",
  refunded: "plain",
  disputed: "warn",
};

/** The payments, newest first, a page at a time. */
export default function BillingHistoryTable({ pageSize = 10 }: { pageSize?: number }) {
  const t = useText();
  const [offset, setOffset] = useState(0);
  const { transactions, total, loading, turning, error, refetch } = useBillingHistory(pageSize, offset);
  if (loading) return <Loading lines={4} />;
  if (error && transactions.length === 0) return <ErrorNotice error={error} onRetry={refetch} />;
  if (total === 0) return <p className="text-muted">{t("history.empty")}</p>;
  return (
    <>
      <table aria-busy={turning} className={turning ? "opacity-60" : undefined}>
        <caption className="sr-only">{t("history.title")}</caption>
        <thead className="text-muted text-sm">
          <tr className="border-line border-b">
            <th scope="col" className="pb-3 text-start font-medium">
              {t("history.date")}
            </th>
            <th scope="col" className="hidden pb-3 text-start font-medium md:table-cell">
              {t("history.description")}
            </th>
            <th scope="col" className="hidden pb-3 text-start font-medium sm:table-cell">
              {t("history.status")}
            </th>
            <th scope="col" className="pb-3 text-end font-medium">
              {t("history.amount")}
            </th>
            <th scope="col" className="pb-3 text-end font-medium">
              {t("history.invoice")}
            </th>
          </tr>
        </thead>
        <tbody className="text-sm">
          {transactions.map((payment) => (
            <Row key={payment.id} payment={payment} />
          ))}
        </tbody>
      </table>
      <Paging offset={offset} pageSize={pageSize} total={total} turning={turning} onTurn={setOffset} />
    </>
  );
}

function Row({ payment }: { payment: PaymentTransaction }) {
  const t = useText();
  const { formats } = useBilling();
  const state = <Badge level={STATES[payment.status]}>{t(`history.state.${payment.status}`)}</Badge>;
  const what = payment.description || t(`history.type.${payment.type}`);
  return (
    <tr className="border-line border-b last:border-0">
      <td className="py-3.5 pr-4 align-top">
        <span className="whitespace-nowrap">{formats.date(payment.created_at)}</span>
        <span className="mt-0.5 block text-muted md:hidden">{what}</span>
      </td>
      <td className="hidden py-3.5 pr-4 align-top md:table-cell">{what}</td>
      <td className="hidden py-3.5 pr-4 align-top sm:table-cell">{state}</td>
      <td className="py-3.5 text-end align-top">
        <span className="whitespace-nowrap tabular-nums">{payment.amount_display}</span>
        <span className="mt-1 block sm:hidden">{state}</span>
      </td>
      <td className="py-2 pl-3 text-end align-top">
        <InvoiceLinks payment={payment} />
      </td>
    </tr>
  );
}

function InvoiceLinks({ payment }: { payment: PaymentTransaction }) {
  const t = useText();
  const { formats } = useBilling();
  const words = { date: formats.date(payment.created_at), amount: payment.amount_display };
  const links = [
    { href: payment.invoice_url, text: t("history.view"), name: t("history.viewFor", words) },
    { href: payment.invoice_pdf, text: t("history.pdf"), name: t("history.pdfFor", words) },
  ];
  return (
    <span className="inline-flex flex-col sm:flex-row">
      {links.map(
        ({ href, text, name }) =>
          href &&
          isWebAddress(href) && (
            <a
              key={text}
              href={href}
              target="_blank"
              rel="noopener noreferrer"
              aria-label={`${name} (${t("page.newTab")})`}
              className="inline-flex min-h-9 min-w-9 items-center justify-end rounded-lg pl-3 font-semibold text-accent"
            >
              {text}
            </a>
          ),
      )}
    </span>
  );
}

interface PagingProps {
  offset: number;
  pageSize: number;
  total: number;
  turning: boolean;
  onTurn: (offset: number) => void;
}

function Paging({ offset, pageSize, total, turning, onTurn }: PagingProps) {
  const t = useText();
  if (total <= pageSize) return null;
  const last = Math.min(offset + pageSize, total);
  return (
    <nav aria-label={t("history.paging")} className="mt-5 flex flex-wrap items-center justify-between gap-3">
      <p role="status" className="text-muted text-sm tabular-nums">
        {t("history.range", { from: offset + 1, to: last, total })}
      </p>
      <div className="flex gap-2">
        <Button
          small
          variant="secondary"
          disabled={offset === 0}
          pending={turning && offset > 0}
          onClick={() => onTurn(Math.max(0, offset - pageSize))}
        >
          {t("history.previous")}
        </Button>
        <Button
          small
          variant="secondary"
          disabled={last >= total}
          onClick={() => !turning && onTurn(offset + pageSize)}
        >
          {t("history.next")}
        </Button>
      </div>
    </nav>
  );
}
