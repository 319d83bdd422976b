"""The page that a link in an e-mail leads to: no more e-mails of its kind, without a login."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from django_videoq_billing.services.notifications.languages import language_of
from django_videoq_billing.services.notifications.unsubscribing import Subscription, read_token

TEMPLATE = "django_videoq_billing/unsubscribe.html"


@csrf_exempt  # the token is the proof, and mail programs POST without a page: RFC 8058
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST does it, and again with `wanted=1`; nothing is redirected, as RFC 8058 wants it."""
    subscription = read_token(token)
    if subscription is None:
        return _page(request, None, status=404)
    with translation.override(language_of(subscription.user)):
        if request.method == "POST":
            subscription.want(request.POST.get("wanted") == "1")
        return _page(request, subscription)


def _page(request: HttpRequest, subscription: Subscription | None, status: int = 200) -> HttpResponse:
    context = {
        "kind": subscription.kind.value if subscription else None,
        "is_wanted": subscription is not None and subscription.is_wanted,
        "was_asked": request.method == "POST",
    }
    response = render(request, TEMPLATE, context, status=status)
    response["Referrer-Policy"] = "no-referrer"  # the address is the key
    response["X-Robots-Tag"] = "noindex"
    return response
