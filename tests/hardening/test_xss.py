"""What is stored is shown as text, on each page of the package that a user sees."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from django_videoq_billing.pages.embedding import embedded_in
from tests.factories import make_plan, subscribed

LIE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>'


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["usage_panel.html", "refused.html", "embedded_page.html"])
def test_a_plans_name_and_a_path_are_text(name: str) -> None:
    user: Any = subscribed(make_plan(name=LIE))
    request = RequestFactory().get(f"/{LIE}/")
    request.user = user
    source = '{% load videoq_billing %}{% usage_panel %}{% include "django_videoq_billing/' + name + '" %}'
    context = {
        "request": request,
        "user": user,
        "plan": user.subscription.plan,
        "error": {"message": LIE, "details": {"upgrade_url": LIE}},
        "videoq_billing_page": embedded_in(request),
    }
    page = Template(source).render(Context(context))
    assert page.strip()
    assert "<script>alert" not in page
    assert "<img" not in page
