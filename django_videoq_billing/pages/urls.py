"""The billing page: `path("billing/", include("django_videoq_billing.pages.urls"))`."""

from django.urls import path

from django_videoq_billing.pages import views

app_name = "videoq_billing_page"

urlpatterns = [
    path("", views.billing, name="billing"),
    path("success/", views.success, name="success"),
]
