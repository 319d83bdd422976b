"""What the host includes: `path("api/", include("django_videoq_billing.urls"))`."""

from django.urls import path

from django_videoq_billing.api import views

app_name = "videoq_billing"

urlpatterns = [
    path("billing/plans", views.PlansView.as_view(), name="plans"),
    path("billing/subscription", views.SubscriptionView.as_view(), name="subscription"),
    path("billing/usage", views.UsageView.as_view(), name="usage"),
    path("billing/usage/check", views.UsageCheckView.as_view(), name="usage-check"),
    path("billing/usage/history", views.UsageHistoryView.as_view(), name="usage-history"),
    path("billing/history", views.HistoryView.as_view(), name="history"),
]
