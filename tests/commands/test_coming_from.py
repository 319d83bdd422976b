"""docs/coming-from.md: who pays already, by way of another library, goes on paying, and has the plan here."""

from __future__ import annotations

from django.contrib.auth.models import User

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.stripe_plans import push_plans
from tests.commands.conftest import Run
from tests.docs.running import Page
from tests.stripe_site import OperatorsDriver, row_of


def test_a_customer_from_before_is_taken_over(
    run: Run, stripe_account: OperatorsDriver, plans: list[SubscriptionPlan], ada: User
) -> None:
    price = stripe_account.price(1200)
    SubscriptionPlan.objects.filter(slug="standard").update(stripe_price_id=price.id)
    customer = stripe_account.customer(email="an-older-address@example.com")
    before = stripe_account.subscribe(customer.id, price.id)
    assert "create price" not in "".join(str(change) for change in push_plans() if change.slug == "standard")
    assert entitlement_for(ada).plan_slug == "free"

    Page("coming-from.md").run(1)["take_over"]([(ada, customer.id)])
    run("sync_stripe", all=True)

    assert entitlement_for(ada).plan_slug == "standard"
    assert PaymentTransaction.objects.get(user=ada).amount_cents == 1200
    [only] = stripe_account.api.subscriptions.list(params={"customer": customer.id}).data
    assert only.id == before.id, "nothing was bought anew"
    assert "Nothing differs." in run("reconcile_stripe", dry_run=True)


def test_who_is_a_customer_here_already_is_left_alone(run: Run, customer: User) -> None:
    known = row_of(customer).stripe_customer_id
    Page("coming-from.md").run(1)["take_over"]([(customer, "cus_somebodyElse")])
    assert row_of(customer).stripe_customer_id == known
