"""Pages for people: checkout, 3-D Secure, the customer portal, invoices, and the console."""

from starlette.routing import BaseRoute

from django_videoq_billing.sandbox.pages import authentication, checkout, console, invoice, portal

ROUTES: list[BaseRoute] = [
    *checkout.ROUTES,
    *authentication.ROUTES,
    *portal.ROUTES,
    *invoice.ROUTES,
    *console.ROUTES,
]
