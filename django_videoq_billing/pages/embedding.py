"""What the page's template is given: the front end's configuration, its files, and a nonce."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.request import HttpHeaders
from django.middleware.csrf import get_token
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import escape_leading_slashes
from django.utils.translation import get_language

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import UserSubscription
from django_videoq_billing.pages.assets import Assets, page_assets
from django_videoq_billing.services.notifications.links import site_name

Page = Literal["billing", "success"]


@dataclass(frozen=True, slots=True)
class BillingPage:
    """`config` is read by the front end and by whoever looks at the page's source: nothing in it is secret."""

    config: Mapping[str, Any]
    assets: Assets
    nonce: str
    no_script_url: str


def page_for(request: HttpRequest, page: Page, *, billing_url: str, success_url: str) -> BillingPage:
    config = {
        "apiUrl": api_root(),
        "language": get_language() or settings.LANGUAGE_CODE,
        "csrfToken": get_token(request),
        "csrfHeaderName": HttpHeaders.parse_header_name(settings.CSRF_HEADER_NAME),
        "page": page,
        "billingUrl": billing_url,
        "successUrl": success_url,
        "loginUrl": _link(str(settings.LOGIN_URL)) or None,
        "siteName": site_name(),
        "timeZone": _time_zone(),
        "now": timezone.now().isoformat(),
        "planIsGiven": _plan_is_given(getattr(request, "user", None)),
    }
    return BillingPage(config, page_assets(), nonce_of(request), _link(get_settings().NO_SCRIPT_URL))


def embedded_in(request: HttpRequest) -> BillingPage:
    """For a page of the host's: it is also where people come back to after a checkout."""
    page: Page = "success" if "session_id" in request.GET else "billing"
    here = escape_leading_slashes(request.path)  # "//elsewhere/" would lead to another site
    return page_for(request, page, billing_url=here, success_url=here)


def api_root() -> str:
    """Return where the host has put the endpoints; raises ImproperlyConfigured where it has not."""
    try:
        return reverse("videoq_billing:plans").removesuffix("billing/plans")
    except NoReverseMatch:
        raise ImproperlyConfigured(
            "The billing page needs the endpoints: add "
            'path("api/", include("django_videoq_billing.urls")) to your URLs.'
        ) from None


def _plan_is_given(user: Any) -> bool:
    """Whether the user has a plan with a price that nobody is billed for, as support can assign it."""
    if user is None or user.pk is None:
        return False
    row = UserSubscription.objects.select_related("plan").filter(user_id=user.pk).first()
    return row is not None and row.is_active and not row.plan.is_free and not row.stripe_subscription_id


def nonce_of(request: HttpRequest) -> str:
    """Return the nonce of django-csp, or of Django's own middleware (6.0), or "" where there is none.

    Reading it is what puts it into the header, so it is read only for pages that have a script.
    """
    nonce = getattr(request, "csp_nonce", None)
    if nonce is None:
        with suppress(ImportError):
            from django.middleware import csp  # type: ignore[attr-defined, unused-ignore]

            nonce = csp.get_nonce(request)
    return "" if nonce is None else str(nonce)


def _link(target: str) -> str:
    """Return the address of a path or of a pattern's name; check E003 says where there is no such pattern."""
    try:
        return resolve_url(target) if target else ""
    except NoReverseMatch:
        return ""


def _time_zone() -> str:
    """Return the name of the current time zone, or UTC's for a mere offset, which browsers have no name for."""
    return str(getattr(timezone.get_current_timezone(), "key", "UTC"))
