"""A host that has included the endpoints and the page."""

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path


def account(request: HttpRequest) -> HttpResponse:
    """A page of the host's with the whole billing page inside."""
    page = "<title>Account</title>{% load videoq_billing %}{% billing_page %}{% usage_meter %}"
    return HttpResponse(Template(page).render(RequestContext(request)))


urlpatterns = [
    path("api/", include("django_videoq_billing.urls")),
    path("billing/", include("django_videoq_billing.pages.urls")),
    path("account/", account, name="account"),
    path("login/", LoginView.as_view(template_name="bare.html"), name="login"),
]
