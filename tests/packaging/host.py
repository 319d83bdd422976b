"""A host's own module, checked as strictly as mypy can against the package that it has installed."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.views import View

from django_videoq_billing.decorators import requires_quota
from django_videoq_billing.exceptions import BillingError, QuotaExceeded
from django_videoq_billing.mixins import QuotaRequiredMixin
from django_videoq_billing.models import SubscriptionPlan, UserSubscription, WebhookEvent
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.plan_changes import preview
from django_videoq_billing.services.subscriptions import assign_plan
from django_videoq_billing.services.usage_tracker import Hold, UsageTracker
from django_videoq_billing.signals import plan_changed
from django_videoq_billing.types import Entitlement, Metric, UsageReport
from django_videoq_billing.webhooks import handles


@requires_quota("video")
def upload(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=201)


@requires_quota(Metric.TRANSCRIPTION, amount=lambda request: int(request.POST["seconds"]), hold=False)
async def transcribe(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=202)


class Upload(QuotaRequiredMixin, View):
    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=201)


def own_code(user: User) -> int:
    hold: Hold = UsageTracker.reserve(user, "video", 2, key="one")
    with hold:
        used: int = hold.reservation.used
    try:
        UsageTracker.count(user, Metric.VIDEO)
    except QuotaExceeded as error:
        code: str = error.code
        raise SystemExit(code) from error
    report: UsageReport = UsageTracker.report(user)
    entitlement: Entitlement = entitlement_for(user)
    limit: int | None = entitlement.limit(Metric.VIDEO)
    return used + report.counters.video_count + (limit or 0)


def plans(user: User) -> str:
    plan: SubscriptionPlan = SubscriptionPlan.objects.listed().get(slug="standard")
    subscription: UserSubscription = assign_plan(user, plan)
    due: int = preview(user, plan).amount_due
    url: str = start_checkout(user, subscription.plan, "/ok", "/no").url
    return f"{url} {due}"


@handles("customer.*")
def heard(event: WebhookEvent) -> None:
    customer: str | None = event.customer_id
    if customer is None:
        raise BillingError("nobody")


def told(sender: object, subscription: UserSubscription, **kwargs: object) -> None:
    assert subscription.is_active


plan_changed.connect(told)

# What is wrong must be found, or all of the above shows nothing: each line is ignored with the code it must have.
requires_quota("video", amount="one")  # type: ignore[arg-type]
UsageTracker.reserve("ada", "video")  # type: ignore[arg-type]
wrong: str = entitlement_for(User()).limit(Metric.VIDEO)  # type: ignore[assignment]
