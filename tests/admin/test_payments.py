"""The ledger: totals of what is listed, and the list as a file."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from django_videoq_billing.models import PaymentTransaction
from tests.admin.conftest import page, staff_who_may, text
from tests.factories import make_payment, make_plan, make_user

Type, Status = PaymentTransaction.Type, PaymentTransaction.Status


@pytest.fixture
def ledger(db: None) -> Any:
    """Two payments in dollars, one refunded in part, one in yen, and one that failed."""
    ada, plan = make_user(username="ada"), make_plan(slug="pro")
    make_payment(user=ada, plan=plan, description="For one month")
    make_payment(user=ada)
    make_payment(user=ada, amount_cents=-500, type=Type.SUBSCRIPTION_REFUND, status=Status.REFUNDED)
    make_payment(user=ada, amount_cents=1480, currency="JPY")
    make_payment(user=ada, amount_cents=900, status=Status.FAILED)
    return ada


def export(client: Client, **query: str) -> list[dict[str, str]]:
    answer: Any = client.get(reverse("admin:videoq_billing_paymenttransaction_export"), query)
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(body)))


def totals(client: Client, **query: str) -> Any:
    answer: Any = client.get(page("paymenttransaction"), query)
    return answer.context_data["totals"]


def test_totals_of_each_currency(admin_client: Client, ledger: Any) -> None:
    assert totals(admin_client) == [
        {"currency": "JPY", "paid": "¥1,480", "refunds": "¥0", "disputes": "¥0", "net": "¥1,480", "failed": "¥0"},
        {
            "currency": "USD", "paid": "$24.00", "refunds": "-$5.00", "disputes": "$0.00", "net": "$19.00",
            "failed": "$9.00",
        },
    ]  # fmt: skip
    shown = text(admin_client.get(page("paymenttransaction")))
    assert "Totals of what is listed" in shown
    assert "$19.00" in shown


def test_totals_follow_the_filter_and_are_of_all_pages(admin_client: Client, ledger: Any) -> None:
    assert [row["net"] for row in totals(admin_client, status__exact="failed")] == ["$0.00"]
    assert [row["net"] for row in totals(admin_client, currency="JPY")] == ["¥1,480"]
    plan = make_plan(slug="x")
    for _ in range(120):
        make_payment(user=ledger, plan=plan, amount_cents=100)
    assert [row["paid"] for row in totals(admin_client, plan__id__exact=str(plan.pk))] == ["$120.00"]
    assert totals(admin_client, q="nobody") == []


def test_the_file_has_what_is_listed(admin_client: Client, ledger: Any) -> None:
    rows = export(admin_client)
    assert len(rows) == 5
    assert {row["user"] for row in rows} == {"ada"}
    assert sorted(row["amount"] for row in rows) == ["-5.00", "12.00", "12.00", "1480", "9.00"]
    [first] = [row for row in rows if row["plan"] == "pro"]
    assert (first["description"], first["currency"], first["status"]) == ("For one month", "USD", "succeeded")
    assert [row["status"] for row in export(admin_client, status__exact="failed")] == ["failed"]


def test_a_payer_who_is_gone_and_a_formula_do_no_harm(admin_client: Client) -> None:
    make_payment(description="=cmd|' /C calc'!A0")
    make_payment(user=make_user()).user.delete()  # type: ignore[union-attr]
    rows = export(admin_client)
    assert [row["description"][:2] for row in rows if row["description"]] == ["'="]
    assert [row["user"] for row in rows].count("") == 1


def test_a_filter_that_makes_no_sense_leads_back(admin_client: Client) -> None:
    address = reverse("admin:videoq_billing_paymenttransaction_export")
    assert admin_client.get(address, {"nonsense__x": "1"}).status_code == 302


def test_the_file_needs_its_permission(ledger: Any) -> None:
    address = reverse("admin:videoq_billing_paymenttransaction_export")
    viewer = staff_who_may("view_paymenttransaction")
    assert viewer.get(address).status_code == 403
    assert "Export as CSV" not in text(viewer.get(page("paymenttransaction")))
    assert staff_who_may("export_payments").get(address).status_code == 403
    finance = staff_who_may("view_paymenttransaction", "export_payments")
    assert "Export as CSV" in text(finance.get(page("paymenttransaction")))
    assert len(export(finance)) == 5
    assert Client().get(address).status_code == 302
