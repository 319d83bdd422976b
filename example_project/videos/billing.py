"""Paying without JavaScript: each page calls one of the package's services and tells in words what came of it.

The site's billing page is the package's; these show how to write one's own, and serve who has no JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from django_videoq_billing.exceptions import (
    AlreadyOnPlan,
    BillingError,
    NoSubscription,
    StripeAuthenticationRequired,
    SubscriptionExists,
)
from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription
from django_videoq_billing.services import plan_changes
from django_videoq_billing.services.checkout import start_checkout
from django_videoq_billing.services.entitlements import (
    default_plan,
    effective_plan,
    ensure_subscription,
    has_access,
)
from django_videoq_billing.services.notifications import remember_language
from django_videoq_billing.services.payments import payment_page
from django_videoq_billing.services.redirects import safe_redirect
from django_videoq_billing.services.usage_tracker import UsageTracker
from example_project.videos.panel import UserRequest, usage_panel
from example_project.videos.standing import (
    charges_after_cancelling,
    day,
    is_overdue,
    is_paused,
    keeps_until,
    standing_of,
)

Page = Callable[..., HttpResponse]
HISTORY_LENGTH = 50
SUCCESS_URL = "/billing/plain/done/?session_id={CHECKOUT_SESSION_ID}"
CANCEL_URL = "/plans/?checkout=cancelled"


def calmly(page: Page) -> Page:
    """Tell what the services refuse on the billing page; it shows what holds after all."""

    @wraps(page)
    def told(request: UserRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.method == "POST":
            remember_language(request.user)  # for the e-mails that come of it
        try:
            return page(request, *args, **kwargs)
        except AlreadyOnPlan as error:
            messages.info(request, error.message)
        except StripeAuthenticationRequired as error:
            messages.warning(request, _to_confirm(error))
        except BillingError as error:
            messages.error(request, error.message)
        return redirect("plain-billing")

    return told


def _to_confirm(error: StripeAuthenticationRequired) -> str:
    """The sentence, and a button to Stripe's page where there is something to confirm."""
    page = (error.details or {})["payment_url"]
    if not page:
        return error.message
    link = format_html('<a class="button small" href="{}">{}</a>', page, _("Confirm the payment"))
    return format_html("{} {}", error.message, link)


def post_only(page: Page) -> Page:
    """For buttons: who arrives by GET, after logging in anew, is shown the page that has the button."""

    @wraps(page)
    def answered(request: UserRequest, *args: object, **kwargs: object) -> HttpResponse:
        return page(request, *args, **kwargs) if request.method == "POST" else redirect("plain-billing")

    return login_required(require_http_methods(["GET", "HEAD", "POST"])(answered))


def see_other(address: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": address})


def way_back(request: UserRequest, field: str, default: str) -> str:
    return safe_redirect(field, None, default, origin=f"{request.scheme}://{request.get_host()}")


@post_only
@calmly
def choose(request: UserRequest, slug: str) -> HttpResponse:
    """To Stripe's page to pay on. Nothing is decided here."""
    plan = get_object_or_404(SubscriptionPlan.objects.listed(), slug=slug)
    success_url = way_back(request, "success_url", SUCCESS_URL)
    cancel_url = way_back(request, "cancel_url", CANCEL_URL)
    try:
        session = start_checkout(request.user, plan, success_url, cancel_url)
    except SubscriptionExists:
        return redirect("change-plan", slug)
    return see_other(session.url or resolve_url("checkout-done"))


@login_required
@require_safe
def checkout_done(request: UserRequest) -> HttpResponse:
    """Ask Stripe what was paid, since its webhook may be late; the address alone proves nothing."""
    try:
        row = plan_changes.sync(request.user, request.GET.get("session_id"))
    except NoSubscription:
        return redirect("plain-billing")  # somebody else's session, or none that Stripe knows
    except BillingError:
        row = ensure_subscription(request.user)
    report = UsageTracker.report(request.user)
    context = {"row": row, "paid": row.is_billed and has_access(row)}
    return render(
        request, "videos/checkout_done.html", {**context, "panel": usage_panel(request.user, report)}
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@calmly
def change(request: UserRequest, slug: str) -> HttpResponse:
    """First what the change would cost and when it would happen; then, confirmed, the change."""
    plan = get_object_or_404(SubscriptionPlan.objects.listed(), slug=slug)
    if request.method != "POST":
        if plan.is_free:
            return redirect("cancel")
        preview = plan_changes.preview(request.user, plan)
        return render(
            request, "videos/change.html", {"preview": preview, "row": ensure_subscription(request.user)}
        )
    row = plan_changes.change(request.user, plan)
    if row.pending_plan and row.pending_plan_effective_at:
        words = {"plan": row.pending_plan.name, "date": day(row.pending_plan_effective_at)}
        messages.success(request, _("Your plan changes to %(plan)s on %(date)s.") % words)
    elif not row.cancel_at_period_end:
        messages.success(request, _("You are on %(plan)s.") % {"plan": row.plan.name})
    return redirect("plain-billing")


@login_required
@require_safe
def overview(request: UserRequest) -> HttpResponse:
    row = ensure_subscription(request.user)
    report = UsageTracker.report(request.user)
    payments = PaymentTransaction.objects.filter(user=request.user).select_related("plan")[:HISTORY_LENGTH]
    context = {
        "row": row,
        "plan": row.plan if row.is_billed else effective_plan(row),
        "standing": standing_of(row),
        "panel": usage_panel(request.user, report),
        "payments": payments,
        "open_invoice": _open_invoice(row) if is_overdue(row) else "",
    }
    return render(request, "videos/billing.html", context)


def _open_invoice(row: UserSubscription) -> str:
    """Where Stripe does not answer the page does without; the portal shows the invoice, too."""
    try:
        return payment_page(row)
    except BillingError:
        return ""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@calmly
def cancel(request: UserRequest) -> HttpResponse:
    if request.method != "POST":
        row = ensure_subscription(request.user)
        if not row.is_billed or row.cancel_at_period_end:
            return redirect("plain-billing")
        context = {
            "row": row,
            "free": default_plan(),
            "until": keeps_until(row),
            "charges": charges_after_cancelling(row),
            "access": has_access(row),
            "paused": is_paused(row),
        }
        return render(request, "videos/cancel.html", context)
    row = plan_changes.cancel(request.user)
    if row.is_billed:
        words = {"plan": row.plan.name, "date": day(row.current_period_end)}
        messages.success(request, _("%(plan)s is cancelled and ends on %(date)s.") % words)
    return redirect("plain-billing")


@post_only
@calmly
def reactivate(request: UserRequest) -> HttpResponse:
    row = plan_changes.reactivate(request.user)
    words = {"plan": row.plan.name, "date": day(row.current_period_end)}
    messages.success(request, _("You keep %(plan)s; it renews on %(date)s.") % words)
    return redirect("plain-billing")


@post_only
@calmly
def portal(request: UserRequest) -> HttpResponse:
    """To Stripe's portal: cards and addresses are never seen by this site."""
    return see_other(plan_changes.portal_url(request.user, way_back(request, "return_url", "portal-return")))


@login_required
@require_safe
@calmly
def portal_return(request: UserRequest) -> HttpResponse:
    """What was done in the portal shows at once, even when the webhook is late."""
    plan_changes.sync(request.user)
    return redirect("plain-billing")
