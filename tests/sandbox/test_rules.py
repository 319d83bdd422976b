"""The rules of the API itself: keys, errors, idempotency, paging, expansion, metadata, catalogue."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.driver import DAY, KEY, Driver


def test_api_keys(sandbox: Driver) -> None:
    with pytest.raises(stripe.AuthenticationError) as caught:
        sandbox.client("sk_test_wrong").v1.customers.list()
    assert caught.value.http_status == 401
    assert "sk_test_wrong" not in str(caught.value)
    assert httpx.get(f"{sandbox.url}/v1/customers").status_code == 401
    assert httpx.get(f"{sandbox.url}/v1/customers", auth=(KEY, "")).status_code == 200


@pytest.mark.parametrize("version", ["nonsense", "2026", "2026-05-27.dahlia.x"])
def test_a_version_must_look_like_one(sandbox: Driver, version: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version"):
        sandbox.client(stripe_version=version).v1.customers.list()


def test_it_speaks_the_version_that_djstripe_is_written_for(sandbox: Driver) -> None:
    from djstripe.settings import DjstripeSettings

    assert sandbox.http.get("/_sandbox/health").json()["api_version"] == (
        DjstripeSettings.DEFAULT_STRIPE_API_VERSION
    )


def test_any_pinned_version_is_taken(sandbox: Driver) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "2020-08-27"}
    answer = httpx.get(f"{sandbox.url}/v1/account", headers=headers)
    assert (answer.status_code, answer.headers["Stripe-Version"]) == (200, "2020-08-27")
    assert answer.headers["Request-Id"].startswith("req_")


def test_foreign_hosts_are_refused(sandbox: Driver) -> None:
    assert httpx.get(f"{sandbox.url}/_sandbox/health", headers={"Host": "evil.example"}).status_code == 403
    attack = httpx.post(f"{sandbox.url}/_sandbox/reset", headers={"Origin": "https://evil.example"})
    assert attack.status_code == 403


def test_missing_things(sandbox: Driver) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.customers.retrieve("cus_none")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (
        404,
        "resource_missing",
        "id",
    )
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.subscribe("cus_none", "price_none")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (
        400,
        "resource_missing",
        "customer",
    )
    answer = httpx.get(f"{sandbox.url}/v1/nonsense", headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"nmae": "x"}, "parameter_unknown", "nmae"),
        ({"name": ""}, "parameter_invalid_empty", "name"),
        ({}, "parameter_missing", "name"),
        ({"name": "x", "active": "perhaps"}, None, "active"),
        ({"name": "x", "default_price_data": {"currency": "usd", "nonsense": 1}}, "parameter_unknown", "default_price_data[nonsense]"),
        ({"name": "x", "default_price_data": {"currency": "usd", "unit_amount": "12.5"}}, "parameter_invalid_integer", "default_price_data[unit_amount]"),
        ({"name": "x", "default_price_data": {"currency": "usd", "recurring": {"interval": "hour"}}}, None, "default_price_data[recurring][interval]"),
    ],
)  # fmt: skip
def test_parameters_are_checked(
    sandbox: Driver, params: dict[str, object], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.api.products.create(params=params)  # type: ignore[arg-type]
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (400, code, param)


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000009987", "card_declined", "lost_card"),
        ("4000000000000069", "expired_card", None),
        ("4000000000000127", "incorrect_cvc", None),
        ("4000000000000119", "processing_error", None),
        ("4242424242424241", "incorrect_number", None),
    ],
)
def test_cards_that_cannot_be_saved(
    sandbox: Driver, number: str, code: str, decline_code: str | None
) -> None:
    customer = sandbox.customer(None)

    def save() -> None:
        method = sandbox.api.payment_methods.create(
            params={
                "type": "card",
                "card": {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"},
            }
        )
        sandbox.api.payment_methods.attach(method.id, params={"customer": customer.id})

    with pytest.raises(stripe.CardError) as caught:
        save()
    assert (caught.value.http_status, caught.value.code) == (402, code)
    assert getattr(caught.value.error, "decline_code", None) == decline_code


def test_idempotency(sandbox: Driver) -> None:
    once = sandbox.api.customers.create(params={"email": "a@example.com"}, options={"idempotency_key": "k1"})
    again = sandbox.api.customers.create(params={"email": "a@example.com"}, options={"idempotency_key": "k1"})
    assert once.id == again.id
    assert once.last_response is not None
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == once.last_response.headers["Request-Id"]
    assert len(sandbox.api.customers.list().data) == 1
    with pytest.raises(stripe.IdempotencyError):
        sandbox.api.customers.create(params={"email": "b@example.com"}, options={"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        sandbox.api.products.create(params={"name": "Other"}, options={"idempotency_key": "k1"})


def test_a_declined_card_is_remembered_and_a_wrong_parameter_is_not(sandbox: Driver) -> None:
    customer = sandbox.customer("pm_card_chargeCustomerFail")
    params: Any = {"customer": customer.id, "items": [{"price": sandbox.price().id}]}
    refusing: Any = {**params, "payment_behavior": "error_if_incomplete"}
    nonsense: Any = {**params, "nonsense": 1}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            sandbox.api.subscriptions.create(params=refusing, options={"idempotency_key": "k1"})
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.api.subscriptions.create(params=nonsense, options={"idempotency_key": "k2"})
    sandbox.api.subscriptions.create(params=params, options={"idempotency_key": "k2"})


def test_an_idempotency_key_lives_a_day(sandbox: Driver) -> None:
    def create(key: str) -> str:
        return sandbox.api.customers.create(params={}, options={"idempotency_key": key}).id

    first = create("k1")
    sandbox.advance(seconds=DAY - 1)
    assert create("k1") == first
    sandbox.advance(seconds=1)
    assert create("k1") != first
    assert create("k" * 255)
    with pytest.raises(stripe.InvalidRequestError, match="up to 255 characters"):
        create("k" * 256)


def test_a_lost_answer_is_found_again_by_its_key(sandbox: Driver) -> None:
    sandbox.control("outage", mode="lost", requests=1, seconds=0)
    client = sandbox.client(max_network_retries=2)
    customer = client.v1.customers.create(params={"email": "a@example.com"})
    assert [one.id for one in sandbox.api.customers.list().data] == [customer.id]


def test_a_key_in_use_is_a_conflict(sandbox: Driver) -> None:
    sandbox.control("outage", mode="lost", requests=1, seconds=1)
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "busy"}

    def create() -> int:
        return httpx.post(f"{sandbox.url}/v1/customers", headers=headers, timeout=10).status_code

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(create), pool.submit(create)
        assert {first.result(), second.result()} == {409, 503}


@pytest.mark.parametrize(
    ("mode", "error"), [("500", stripe.APIError), ("503", stripe.APIError), ("429", stripe.RateLimitError)]
)
def test_outage(sandbox: Driver, mode: str, error: type[stripe.StripeError]) -> None:
    sandbox.control("outage", mode=mode, requests=2, retry_after=7)
    for _ in range(2):
        with pytest.raises(error) as caught:
            sandbox.api.customers.create(params={})
        assert caught.value.headers is not None
        assert caught.value.headers.get("Retry-After") == (None if mode == "500" else "7")
    assert sandbox.api.customers.list().data == []


def test_hanging(sandbox: Driver) -> None:
    sandbox.control("outage", mode="hang", requests=1, seconds=0.2)
    begin = time.monotonic()
    with pytest.raises(stripe.APIError):
        sandbox.api.customers.list()
    assert time.monotonic() - begin >= 0.2


def test_paging(sandbox: Driver) -> None:
    made = [sandbox.api.customers.create(params={"name": str(number)}).id for number in range(7)]
    newest_first = made[::-1]
    first = sandbox.api.customers.list(params={"limit": 3})
    assert ([one.id for one in first.data], first.has_more) == (newest_first[:3], True)
    after = sandbox.api.customers.list(params={"limit": 3, "starting_after": newest_first[2]})
    assert [one.id for one in after.data] == newest_first[3:6]
    before = sandbox.api.customers.list(params={"limit": 2, "ending_before": newest_first[3]})
    assert ([one.id for one in before.data], before.has_more) == (newest_first[1:3], True)
    assert [
        one.id for one in sandbox.api.customers.list(params={"limit": 2}).auto_paging_iter()
    ] == newest_first
    first_page = sandbox.api.customers.list(params={"limit": 3, "ending_before": newest_first[2]})
    assert ([one.id for one in first_page.data], first_page.has_more) == (newest_first[:2], False)
    last_page = sandbox.api.customers.list(params={"limit": 3, "starting_after": newest_first[4]})
    assert ([one.id for one in last_page.data], last_page.has_more) == (newest_first[5:], False)
    for params in (
        {"limit": 0}, {"limit": 101}, {"starting_after": "cus_none"},
        {"starting_after": made[0], "ending_before": made[1]},
    ):  # fmt: skip
        with pytest.raises(stripe.InvalidRequestError):
            sandbox.api.customers.list(params=params)  # type: ignore[arg-type]


def test_created_filters(sandbox: Driver) -> None:
    early = sandbox.customer(None)
    moment = sandbox.now()
    sandbox.advance(days=1)
    late = sandbox.customer(None)
    found = sandbox.api.customers.list(params={"created": {"gt": moment}})
    assert [one.id for one in found.data] == [late.id]
    assert [one.id for one in sandbox.api.customers.list(params={"created": moment}).data] == [early.id]


def test_expansion(sandbox: Driver) -> None:
    customer = sandbox.customer()
    made = sandbox.subscribe(customer.id, sandbox.price().id)
    found = sandbox.api.subscriptions.retrieve(
        made.id,
        params={
            "expand": [
                "customer",
                "latest_invoice.payments.data.payment",
                "items.data.price.product",
            ]
        },
    )
    assert isinstance(found.customer, stripe.Customer)
    product = found["items"].data[0].price.product
    assert isinstance(product, stripe.Product)
    listed = sandbox.api.subscriptions.list(params={"expand": ["data.customer"]})
    assert isinstance(listed.data[0].customer, stripe.Customer)
    person = sandbox.api.customers.retrieve(customer.id, params={"expand": ["subscriptions"]})
    assert person.subscriptions is not None
    assert person.subscriptions.data[0].id == made.id
    deep = sandbox.api.invoices.retrieve(
        str(made.latest_invoice), params={"expand": ["payments.data.payment.payment_intent"]}
    )
    assert deep.payments is not None
    assert isinstance(deep.payments.data[0].payment.payment_intent, stripe.PaymentIntent)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("nonsense", None),
        ("status", None),
        ("created", None),
        ("latest_invoice.payments.data.payment.payment_intent", "property_expansion_max_depth"),
    ],
)
def test_what_cannot_be_expanded(sandbox: Driver, path: str, code: str | None) -> None:
    made = sandbox.subscribe(sandbox.customer().id, sandbox.price().id)
    with pytest.raises(stripe.InvalidRequestError, match=path) as caught:
        sandbox.api.subscriptions.retrieve(made.id, params={"expand": [path]})
    assert caught.value.code == code
    listed = f"data.{path}"
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.api.subscriptions.list(params={"expand": [listed]})


def test_metadata(sandbox: Driver) -> None:
    customer = sandbox.api.customers.create(params={"metadata": {"a": "1", "b": "2"}})
    changed = sandbox.api.customers.update(customer.id, params={"metadata": {"a": "", "c": "3"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    cleared = sandbox.api.customers.update(customer.id, params={"metadata": ""})
    assert cleared.metadata is not None
    assert cleared.metadata.to_dict() == {}
