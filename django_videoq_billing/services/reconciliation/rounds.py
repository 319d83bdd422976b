"""One round through everything, in steps that each ask Stripe for a page and can be the last for now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.utils import timezone

from django_videoq_billing.exceptions import StripeObjectMissing
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.services.reconciliation.findings import Difference, Findings
from django_videoq_billing.services.reconciliation.ledger import Ledger
from django_videoq_billing.services.reconciliation.rows import Rows
from django_videoq_billing.services.stripe_service import StripeService

logger = logging.getLogger("django_videoq_billing")

PAGE = 100
PAYMENT_DAYS = 35
"""How far back invoices, refunds and disputes are compared: what is older was compared before."""
FEW, SHARE = 10, 10
"""More than a few subscriptions, and a tenth of all, that Stripe does not know: then rather the key is wrong."""

Pages = Callable[[list[dict[str, Any]]], None]


@dataclass(slots=True)
class Reconciliation:
    """`cursor` says where to go on and `report` what was found; both are plain values to be kept in between."""

    dry_run: bool = False
    days: int = PAYMENT_DAYS
    cursor: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    tell: Callable[[Difference], object] = lambda found: None

    def steps(self) -> Iterator[int]:
        """Go on from the cursor; yield after each step how many objects it compared. Raises StripeUnavailable."""
        self.cursor.setdefault("began", timezone.now().isoformat())
        self.cursor.setdefault("done", [])
        findings = Findings(self.report, self.tell)
        for name, stage in self._stages(findings):
            if name in self.cursor["done"]:
                continue
            for count in stage:
                findings.compared(name, count)
                yield count
            self.cursor["done"].append(name)
            self.cursor.pop("after", None)

    def of_user(self, row: UserSubscription) -> None:
        """Compare one user with everything that Stripe has about the customer, however old."""
        findings = Findings(self.report, self.tell)
        ledger, customer = Ledger(findings, self.dry_run), {"customer": row.stripe_customer_id}
        Rows(findings, timezone.now(), self.dry_run).check(row)
        findings.compared("subscriptions", 1)
        self._user_pages(findings, "invoices", customer, ledger.invoices)
        charges = {**customer, "expand": ["data.refunds.data.charge"]}
        for charge in StripeService.each("charges", charges):
            refunds = charge["refunds"]["data"]
            findings.compared("refunds", len(refunds))
            ledger.refunds(refunds)
            if charge["disputed"]:
                narrowed = {"charge": charge["id"], "expand": ["data.charge"]}
                self._user_pages(findings, "disputes", narrowed, ledger.disputes)

    def _user_pages(self, findings: Findings, kind: str, narrowed: Any, compare: Pages) -> None:
        objects = StripeService.each(kind, narrowed)
        while page := list(islice(objects, PAGE)):
            compare(page)
            findings.compared(kind, len(page))

    def _stages(self, findings: Findings) -> Iterator[tuple[str, Iterator[int]]]:
        began = datetime.fromisoformat(self.cursor["began"])
        rows, ledger = Rows(findings, began, self.dry_run), Ledger(findings, self.dry_run)
        recent = {"created": {"gte": int((began - timedelta(days=self.days)).timestamp())}}
        with_charge = {**recent, "expand": ["data.charge"]}
        everything = {"status": "all", "expand": ["data.schedule"]}
        yield "subscriptions", self._pages("subscriptions", everything, rows.compare)
        yield "unseen", self._unseen(rows)
        yield "invoices", self._pages("invoices", recent, ledger.invoices)
        yield "refunds", self._pages("refunds", with_charge, ledger.refunds)
        yield "disputes", self._pages("disputes", with_charge, ledger.disputes)

    def _pages(self, kind: str, params: dict[str, Any], compare: Pages) -> Iterator[int]:
        after = self.cursor.get("after")
        objects = StripeService.each(kind, {**params, "starting_after": after} if after else params)
        try:
            while page := list(islice(objects, PAGE)):
                compare(page)
                self.cursor["after"] = page[-1]["id"]
                yield len(page)
        except StripeObjectMissing:  # where we were is gone: the next time this stage begins anew
            self.cursor.pop("after", None)
            raise

    def _unseen(self, rows: Rows) -> Iterator[int]:
        if "only_report" not in self.cursor:
            self.cursor["only_report"] = _too_many(rows.unseen().count())
        while batch := list(rows.unseen().filter(pk__gt=self.cursor.get("after", 0)).order_by("pk")[:PAGE]):
            for row in batch:
                rows.check(row, unseen=True, only_report=self.cursor["only_report"])
                self.cursor["after"] = row.pk
            yield len(batch)


def _too_many(unseen: int) -> bool:
    billed = UserSubscription.objects.filter(status__in=UserSubscription.BILLED_STATUSES)
    if unseen <= FEW or unseen * SHARE <= billed.exclude(stripe_subscription_id=None).count():
        return False
    logger.error("reconcile_refused", extra={"unseen": unseen})
    return True
