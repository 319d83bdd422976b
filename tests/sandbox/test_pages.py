"""The pages for people: where an error stands, what has the focus, and where each page leads on to."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.driver import Driver
from tests.sandbox.test_checkout import FORM, pay, session_for


def focused(page: str) -> list[str]:
    """The ids of what asks for the focus; an alert has none."""
    tags = [tag for tag in re.findall(r"<(?:input|button|p)\b[^>]*>", page) if "autofocus" in tag]
    return [(re.findall(r'\bid="([^"]*)"', tag) or [""])[0] for tag in tags]


def portal_of(sandbox: Driver, customer_id: str) -> str:
    params: Any = {"customer": customer_id, "return_url": "http://localhost/back"}
    return str(sandbox.api.billing_portal.sessions.create(params=params).url)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "4000 0000 0000 0002"}, "number"),
        ({"number": "4000 0000 0000 9995"}, "number"),
        ({"number": "4000 0000 0000 0069"}, "expiry"),
        ({"number": "4000 0000 0000 0127"}, "cvc"),
        ({"number": "", "cvc": "", "name": ""}, "number"),
    ],
)
def test_an_error_stands_at_its_field_which_has_the_focus(
    sandbox: Driver, changes: dict[str, str], field: str
) -> None:
    page = pay(sandbox, session_for(sandbox), **changes).text
    assert focused(page) == [field]
    assert f'aria-invalid="true" aria-describedby="{field}-error"' in page
    assert f'<p class="error" id="{field}-error">' in page
    assert "<title>Error: Subscribe to" in page


def test_an_error_of_no_field_has_the_focus_itself(sandbox: Driver) -> None:
    page = pay(sandbox, session_for(sandbox), number="4000 0000 0000 0119").text
    assert focused(page) == [""]
    assert page.count("An error occurred while processing your card.") == 1


def test_a_page_without_an_error_leaves_the_focus_alone(sandbox: Driver) -> None:
    page = sandbox.http.get(str(session_for(sandbox).url)).text
    assert focused(page) == []
    assert "<title>Subscribe to" in page


def test_the_portal_tells_an_error_once_and_where_it_belongs(sandbox: Driver) -> None:
    url = portal_of(sandbox, sandbox.customer().id)
    card = {**FORM, "action": "card", "number": "4000 0000 0000 0119"}
    above, form = sandbox.http.post(url, data=card).text.split("Use another card")
    assert "An error occurred" not in above
    assert form.count("An error occurred while processing") == 1
    unknown = sandbox.http.post(url, data={"action": "cancel", "subscription": "sub_none"}).text
    above, form = unknown.split("Current plan")
    assert above.count("There is no such subscription.") == 1
    assert "There is no such subscription." not in form


def test_the_portal_says_what_an_overdue_plan_needs(sandbox: Driver) -> None:
    customer = sandbox.customer()
    sandbox.subscribe(customer.id, sandbox.price(1200).id)
    sandbox.control(f"customers/{customer.id}/fail_next", payments=1)
    sandbox.advance(days=31, seconds=3600)
    page = sandbox.http.get(portal_of(sandbox, customer.id)).text
    assert "Pay the open invoice below" in page
    assert "Renews on" not in page


@pytest.mark.parametrize(("answer", "words"), [("complete", "To the invoice"), ("fail", "Use another card")])
def test_confirming_an_invoices_payment_leads_back_to_it(sandbox: Driver, answer: str, words: str) -> None:
    customer = sandbox.customer()
    sandbox.subscribe(customer.id, sandbox.price(1200).id)
    sandbox.control(f"customers/{customer.id}/fail_next", payments=1)
    sandbox.advance(days=31, seconds=3600)
    invoice = str(sandbox.api.invoices.list().data[0].hosted_invoice_url)
    step = sandbox.http.post(invoice, data={**FORM, "number": "4000 0027 6000 3184"}).headers["location"]
    page = sandbox.http.post(step, data={"answer": answer}).text
    assert f'<a href="{invoice}">{words}</a>' in page


def test_a_paid_invoice_says_so_on_its_page_and_in_its_pdf(sandbox: Driver) -> None:
    customer = sandbox.customer(name="山田太郎")
    sandbox.subscribe(customer.id, sandbox.price(1200).id)
    invoice = sandbox.api.invoices.list().data[0]
    page = sandbox.http.get(str(invoice.hosted_invoice_url)).text
    assert re.search(r"Amount paid</td><td[^>]*>\$12\.00<", page)
    pdf = sandbox.http.get(str(invoice.invoice_pdf)).content
    assert b"(Amount paid)" in pdf
    assert "山田太郎".encode("utf-16-be").hex().encode() in pdf


def test_the_console_says_when_there_is_nothing(sandbox: Driver) -> None:
    sandbox.customer()
    assert "No event has such a type." in sandbox.http.get("/_sandbox/console/events?type=nonsense").text
    assert "disabled>Nothing is pending<" in sandbox.http.get("/_sandbox/console/deliveries").text
    lost = sandbox.http.get("/_sandbox/console/objects/cus_none")
    assert (lost.status_code, "Back to the console" in lost.text) == (404, True)


def test_every_page_has_one_heading(sandbox: Driver) -> None:
    customer = sandbox.customer()
    sandbox.subscribe(customer.id, sandbox.price(1200).id)
    pages = [
        str(session_for(sandbox).url),
        portal_of(sandbox, customer.id),
        str(sandbox.api.invoices.list().data[0].hosted_invoice_url),
        *(
            f"/_sandbox/{path}"
            for path in ("", "console/events", "console/deliveries", "console/kinds/price")
        ),
    ]
    assert {page: sandbox.http.get(page).text.count("<h1") for page in pages} == dict.fromkeys(pages, 1)
