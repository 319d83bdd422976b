"""Every endpoint, asked well and badly by nobody, a user, another user and staff: as docs/openapi.yaml says, and about
nobody else.

Each question is asked by each of the four. `FUZZ_EXAMPLES=500 pytest tests/hardening` asks as many new questions of each
endpoint; a plain run asks the same few each time.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token

from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.usage_tracker import UsageTracker
from tests.api.clients import client_of
from tests.api.shop import Shop
from tests.factories import make_payment, make_plan, make_user, subscribed
from tests.hardening.examples import examples
from tests.leaks import STRIPE_ID

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed.")
known_checks = pytest.importorskip("schemathesis.checks")
known_checks.load_all_checks()

CHECKS = known_checks.CHECKS.get_by_names(
    ["content_type_conformance", "response_headers_conformance", "response_schema_conformance"]
)

PAGE = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
OPERATIONS = [
    pytest.param(method, path, id=f"{method.upper()} {path.removeprefix('/api/billing/')}")
    for path, methods in PAGE["paths"].items()
    for method in methods
]
PEOPLE = ("ada", "grace", "staff", "nobody")
HANDLED = (400, 405, 406, 413, 415)
"""What the server answers to a request that is no such operation at all, whatever the operation is."""


class People:
    """Who asks. Each has a plan, payments and usage that nobody else has, and that can be told apart."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.users: dict[str, User | None] = dict.fromkeys(PEOPLE)
        self.users["ada"] = self.paying(shop.user, "ada", 4111)
        self.users["grace"] = self.paying(make_user(), "grace", 4222)
        self.users["staff"] = self.given(make_user(is_staff=True), "staff", 4333)
        SubscriptionPlan.objects.filter(slug__startswith="person-").update(is_public=False)

    def paying(self, user: User, name: str, seconds: int) -> User:
        """Somebody whose subscription is alive at Stripe: what is asked for can be done."""
        plan = self.mark(user, name, seconds)
        client = client_of(user)
        page = self.shop.post("subscription/checkout", client, plan_id=plan.pk)
        self.shop.pay(page.json()["session_id"])
        assert self.shop.post("subscription/sync", client).status_code == 200
        UsageTracker.increment_transcription_seconds(user, seconds)
        return user

    def given(self, user: User, name: str, seconds: int) -> User:
        subscribed(self.mark(user, name, seconds), user)
        UsageTracker.increment_transcription_seconds(user, seconds)
        return user

    def mark(self, user: User, name: str, seconds: int) -> SubscriptionPlan:
        user.username = user.first_name = f"person-{name}"
        user.email = f"person-{name}@example.com"
        user.save()
        make_payment(user=user, description=f"Paid by person-{name}")
        return self.shop.for_sale(f"person-{name}", seconds, transcription_limit_minutes=seconds)

    def header(self, name: str) -> dict[str, str]:
        user = self.users[name]
        if user is None:
            return {}
        return {"Authorization": f"Token {Token.objects.get_or_create(user=user)[0].key}"}

    def others(self, name: str) -> list[str]:
        return [f"person-{other}" for other in self.users if other not in (name, "nobody")]


@pytest.fixture
def people(shop: Shop) -> Iterator[People]:
    make_plan(name="Not listed", slug="not-listed", is_public=False)
    asking = People(shop)  # by Django's own client, which connects these anew
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # the connection is the test's
    yield asking
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def questions(method: str, path: str, plan_ids: list[int]) -> Iterator[Any]:
    """Strategies for requests: right ones, which now and then name a plan that there is, and wrong ones."""
    page = copy.deepcopy(PAGE)
    for schema in (
        page["components"]["schemas"]["PlanChoice"]["properties"],
        page["components"]["schemas"]["Checkout"]["properties"],
    ):
        schema["plan_id"] = {"anyOf": [{"enum": plan_ids}, {"type": "integer"}]}
    for parameter in page["paths"][path][method].get("parameters", []):
        if parameter["name"] == "plan_id":
            parameter["schema"] = {"anyOf": [{"enum": plan_ids}, {"type": "integer"}]}
    loaded = schemathesis.openapi.from_dict(page)
    loaded.app = get_wsgi_application()
    operation = loaded[path][method.upper()]
    yield operation.as_strategy(schemathesis.GenerationMode.POSITIVE)
    if {"parameters", "requestBody"} & page["paths"][path][method].keys():
        yield operation.as_strategy(schemathesis.GenerationMode.NEGATIVE)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_answer_is_as_described_and_about_the_one_who_asks(people: People, method: str, path: str) -> None:
    plan_ids = list(SubscriptionPlan.objects.values_list("pk", flat=True))

    @examples(few=4)
    @given(case=st.one_of(*questions(method, path, plan_ids)))
    def ask(case: Any) -> None:
        for who in PEOPLE:  # each question by each: chance would leave somebody out
            about_the_one_who_asks(case, who)

    def about_the_one_who_asks(case: Any, who: str) -> None:
        answer = case.call(headers=people.header(who))
        assert answer.status_code < 500 or allowed(path, answer)
        if str(answer.status_code) in PAGE["paths"][path][method]["responses"]:
            case.validate_response(answer, checks=list(CHECKS))
        else:
            assert answer.status_code in HANDLED
            assert list(json.loads(answer.content)) == ["error", "message", "details"]
        said = answer.content.decode() + str(answer.headers)
        assert [name for name in people.others(who) if name in said] == []
        assert STRIPE_ID.findall(said.replace(session_of(answer), "")) == []
        if people.users[who] is None:
            assert answer.status_code != 200 or path.endswith("/plans")

    ask()


def allowed(path: str, answer: Any) -> bool:
    """Only health may answer 503 here: nobody runs the jobs of this site."""
    return bool(path.endswith("/health") and answer.status_code == 503)


def session_of(answer: Any) -> str:
    """What the contract allows: the id of a checkout session, and Stripe's own pages."""
    body = json.loads(answer.content)
    return str(body.get("session_id", "")) if isinstance(body, dict) else ""
