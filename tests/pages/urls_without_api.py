"""A host that has forgotten the endpoints."""

from django.urls import include, path

urlpatterns = [path("billing/", include("django_videoq_billing.pages.urls"))]
