"""The three webhook endpoints of part f."""

from __future__ import annotations

from django.urls import include, path

from benchmarks.floor import receive

urlpatterns = [
    path("ours/", include("django_videoq_billing.urls")),
    path("djstripe/", include("djstripe.urls", namespace="djstripe")),
    path("floor", receive),
]
