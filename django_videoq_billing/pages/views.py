"""The billing page and the page after a checkout, for hosts that do not embed them in one of their own."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from django_videoq_billing.conf import get_settings
from django_videoq_billing.pages.embedding import Page, page_for

OWN_BASE = "django_videoq_billing/base.html"


@require_safe
@never_cache
@login_required
def billing(request: HttpRequest) -> HttpResponse:
    return _shown(request, "billing")


@require_safe
@never_cache
@login_required
def success(request: HttpRequest) -> HttpResponse:
    return _shown(request, "success")


def _shown(request: HttpRequest, page: Page) -> HttpResponse:
    context = {
        "base_template": get_settings().BASE_TEMPLATE or OWN_BASE,
        "videoq_billing_page": page_for(
            request,
            page,
            billing_url=reverse("videoq_billing_page:billing"),
            success_url=reverse("videoq_billing_page:success"),
        ),
    }
    return render(request, "django_videoq_billing/billing_page.html", context)
