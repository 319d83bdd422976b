"""What the host includes: `path("api/", include("django_videoq_billing.urls"))`."""

from django.urls import path

from django_videoq_billing.api import health, stripe_views, unsubscribe, views, webhook

app_name = "videoq_billing"

urlpatterns = [
    path("billing/plans", views.PlansView.as_view(), name="plans"),
    path("billing/subscription", views.SubscriptionView.as_view(), name="subscription"),
    path("billing/subscription/checkout", stripe_views.CheckoutView.as_view(), name="checkout"),
    path("billing/subscription/cancel", stripe_views.CancelView.as_view(), name="cancel"),
    path("billing/subscription/reactivate", stripe_views.ReactivateView.as_view(), name="reactivate"),
    path("billing/subscription/preview", stripe_views.PreviewView.as_view(), name="preview"),
    path("billing/subscription/change", stripe_views.ChangeView.as_view(), name="change"),
    path("billing/subscription/sync", stripe_views.SyncView.as_view(), name="sync"),
    path("billing/portal", stripe_views.PortalView.as_view(), name="portal"),
    path("billing/payment-method", stripe_views.PaymentMethodView.as_view(), name="payment-method"),
    path("billing/usage", views.UsageView.as_view(), name="usage"),
    path("billing/usage/check", views.UsageCheckView.as_view(), name="usage-check"),
    path("billing/usage/history", views.UsageHistoryView.as_view(), name="usage-history"),
    path("billing/history", views.HistoryView.as_view(), name="history"),
    path("billing/unsubscribe/<str:token>", unsubscribe.unsubscribe, name="unsubscribe"),
    path("billing/webhook/stripe", webhook.StripeWebhookView.as_view(), name="stripe-webhook"),
    path("billing/health", health.HealthView.as_view(), name="health"),
]
