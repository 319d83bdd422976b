from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import ProtectedError
from django.test import Client

from django_videoq_billing.admin.plans import SubscriptionPlanAdmin
from django_videoq_billing.models import SubscriptionPlan
from django_videoq_billing.services.plans import seed_plans
from tests.admin.conftest import page, staff_who_may, text
from tests.factories import make_payment, make_plan, subscribed

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

FORM = {
    "name": "Acme",
    "slug": "acme",
    "description": "",
    "features": "",
    "feature_flags": "{}",
    "price_cents": "9900",
    "currency": "USD",
    "interval": "month",
    "trial_days": "0",
    "video_limit": "500",
    "transcription_limit_minutes": "",
    "is_active": "on",
    "sort_order": "9",
}


def add(client: Client, **changes: Any) -> Any:
    return client.post(page("subscriptionplan", "add"), {**FORM, **changes})


def errors_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_a_custom_plan_is_made_in_the_admin(admin_client: Client) -> None:
    answer = add(admin_client, features="500 videos\n\n  A person to call \n", feature_flags='{"sso": true}')
    assert answer.status_code == 302
    plan = SubscriptionPlan.objects.get()
    assert (plan.slug, plan.price_cents, plan.video_limit) == ("acme", 9900, 500)
    assert plan.transcription_limit_minutes is None
    assert plan.features == ["500 videos", "A person to call"]
    assert plan.feature_flags == {"sso": True}
    assert not plan.is_public


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"currency": "usd"}, "currency", "Use an ISO 4217 code such as USD or JPY."),
        ({"currency": "ZZZ"}, "currency", "Use an ISO 4217 code such as USD or JPY."),
        ({"price_cents": "-1"}, "price_cents", "greater than or equal to 0"),
        ({"video_limit": "-1"}, "video_limit", "greater than or equal to 0"),
        ({"trial_days": "-1"}, "trial_days", "greater than or equal to 0"),
        ({"price_cents": "9" * 30}, "price_cents", "less than or equal to"),
        ({"video_limit": ""}, "__all__", "A plan that costs money must limit at least one resource."),
        ({"slug": "not a slug"}, "slug", "Enter a valid “slug”"),
        ({"feature_flags": "[]"}, "feature_flags", "Use an object from flag name to value."),
        ({"feature_flags": "{"}, "feature_flags", "Enter a valid JSON."),
        ({"features": "a\x00b"}, "features", "Null characters are not allowed."),
        ({"interval": "week"}, "interval", "Select a valid choice"),
        ({"name": "Plan of old"}, "name", "already exists"),
    ],
)
def test_what_cannot_be_right_is_a_sentence_beside_its_field(
    admin_client: Client, changes: dict[str, str], field: str, sentence: str
) -> None:
    make_plan(name="Plan of old")
    errors = errors_of(add(admin_client, **changes))
    assert list(errors) == [field]
    assert sentence in errors[field][0]
    assert not SubscriptionPlan.objects.filter(slug="acme").exists()


def test_the_list_reads_like_a_price_table(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    seed_plans()
    make_plan(name="Team", price_cents=120000, currency="JPY", interval="year")
    shown = text(admin_client.get(page("subscriptionplan")))
    for words in ("Free</td>", "$12.00 per month", "¥120,000 per year", "unlimited</td>", "1000</td>"):
        assert words in shown
    text(admin_client.get(page("subscriptionplan")))
    with django_assert_max_num_queries(20) as few:
        text(admin_client.get(page("subscriptionplan")))
    [make_plan() for _ in range(10)]
    with django_assert_max_num_queries(len(few)):
        text(admin_client.get(page("subscriptionplan")))


def test_plans_are_searched(admin_client: Client) -> None:
    make_plan(name="Acme"), make_plan(name="Other")
    shown = text(admin_client.get(page("subscriptionplan"), {"q": "acm"}))
    assert "Acme</a>" in shown
    assert "Other</a>" not in shown


def test_slug_and_stripe_ids_stay_as_they_are(admin_client: Client) -> None:
    plan = make_plan(name="Acme", slug="acme", stripe_price_id="price_1", features=["One", "Two"])
    url = page("subscriptionplan", "change", plan.pk)
    shown = text(admin_client.get(url))
    assert "\nOne\nTwo</textarea>" in shown
    assert "price_1" in shown
    form = {
        **FORM,
        "slug": "other",
        "stripe_price_id": "price_2",
        "features": "One\r\nTwo",
        "sort_order": "7",
    }
    assert admin_client.post(url, form).status_code == 302
    plan.refresh_from_db()
    assert (plan.slug, plan.stripe_price_id, plan.sort_order) == ("acme", "price_1", 7)
    assert plan.features == ["One", "Two"]


def test_the_slug_follows_the_name_on_the_add_page(admin_client: Client) -> None:
    shown = text(admin_client.get(page("subscriptionplan", "add")))
    assert "#id_slug" in shown.split("prepopulated-fields-constants")[1]


def test_a_plan_from_the_settings_says_who_has_the_last_word(admin_client: Client) -> None:
    seed_plans()
    url = page("subscriptionplan", "change", SubscriptionPlan.objects.get(slug="free").pk)
    form = {**FORM, "name": "Free", "price_cents": "0", "video_limit": "4"}
    assert "seed_plans will put their values back" in text(admin_client.post(url, form, follow=True))
    assert "seed_plans" not in text(admin_client.post(page("subscriptionplan", "add"), FORM, follow=True))


class TestDeletion:
    def delete(self, client: Client, plan: SubscriptionPlan) -> Any:
        return client.post(page("subscriptionplan", "delete", plan.pk), {"post": "yes"}, follow=True)

    def delete_selected(self, client: Client, *plans: SubscriptionPlan) -> Any:
        ids = [str(plan.pk) for plan in plans]
        return client.post(
            page("subscriptionplan"),
            {"action": "delete_selected", "_selected_action": ids, "post": "yes"},
            follow=True,
        )

    def test_an_unused_plan_goes_and_its_payments_stay(self, admin_client: Client) -> None:
        plan = make_plan()
        payment = make_payment(plan=plan)
        assert "was deleted successfully" in text(self.delete(admin_client, plan))
        assert not SubscriptionPlan.objects.filter(pk=plan.pk).exists()
        payment.refresh_from_db()
        assert payment.plan is None

    def test_a_used_plan_stays_and_the_page_says_why(self, admin_client: Client) -> None:
        plan = make_plan(name="Acme")
        user = subscribed(plan)
        shown = text(self.delete(admin_client, plan))
        assert "1 subscription uses the plan “Acme”. Make the plan inactive instead" in shown
        assert user.username not in shown, "not a list of everybody who has it"
        subscribed(plan)
        assert "2 subscriptions use the plan" in text(self.delete_selected(admin_client, plan))
        assert SubscriptionPlan.objects.filter(pk=plan.pk).exists()

    def test_a_plan_that_somebody_waits_for_is_used(self, admin_client: Client) -> None:
        plan, now = make_plan(), make_plan()
        user = subscribed(now)
        user.subscription.pending_plan = plan
        user.subscription.pending_plan_effective_at = user.subscription.current_period_end
        user.subscription.save()
        assert "1 subscription uses the plan" in text(self.delete(admin_client, plan))

    def test_one_used_plan_holds_back_the_selection(self, admin_client: Client) -> None:
        used, unused = make_plan(), make_plan()
        subscribed(used)
        assert "1 subscription uses" in text(self.delete_selected(admin_client, used, unused))
        assert SubscriptionPlan.objects.filter(pk__in=[used.pk, unused.pk]).count() == 2

    def test_selected_unused_plans_go(self, admin_client: Client) -> None:
        plans = [make_plan() for _ in range(2)]
        assert "Successfully deleted 2 subscription plans" in text(self.delete_selected(admin_client, *plans))
        assert not SubscriptionPlan.objects.exists()

    def test_the_question_is_asked_first(self, admin_client: Client) -> None:
        plan = make_plan()
        assert "Are you sure" in text(admin_client.get(page("subscriptionplan", "delete", plan.pk)))
        assert SubscriptionPlan.objects.filter(pk=plan.pk).exists()

    def test_who_may_not_delete_learns_nothing(self, db: None) -> None:
        plan = make_plan()
        subscribed(plan)
        client = staff_who_may("view_subscriptionplan")
        assert client.post(page("subscriptionplan", "delete", plan.pk), {"post": "yes"}).status_code == 403
        shown = text(self.delete_selected(client, plan))
        assert "1 subscription uses" not in shown
        assert "Delete selected" not in shown

    @pytest.mark.parametrize("way", ["delete_model", "delete_queryset"])
    def test_a_subscription_that_comes_in_between_is_no_crash(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        plan = make_plan()
        real = getattr(SubscriptionPlanAdmin, way)

        def after_somebody_subscribed(self: Any, request: Any, plans: Any) -> None:
            subscribed(plan)
            with pytest.raises(ProtectedError):
                real(self, request, plans)
            real(self, request, plans)

        monkeypatch.setattr(SubscriptionPlanAdmin, way, after_somebody_subscribed)
        delete = self.delete if way == "delete_model" else self.delete_selected
        assert "Nothing was deleted: a subscription has just begun" in text(delete(admin_client, plan))
        assert SubscriptionPlan.objects.filter(pk=plan.pk).exists()
