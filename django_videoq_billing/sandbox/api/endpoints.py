"""All endpoints. Importing the modules registers them; more specific paths come first."""

from django_videoq_billing.sandbox.api import (
    catalog,
    checkout,
    coupons,
    customers,
    invoices,
    payment_methods,
    payments,
    platform,
    schedules,
    subscriptions,
)
from django_videoq_billing.sandbox.api.router import ENDPOINTS as REGISTERED

MODULES = (
    catalog,
    checkout,
    coupons,
    customers,
    invoices,
    payment_methods,
    payments,
    platform,
    schedules,
    subscriptions,
)
ENDPOINTS = sorted(REGISTERED, key=lambda endpoint: endpoint.path.count("{"))
