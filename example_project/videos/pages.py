"""The pages around the library: welcome, sign-up, settings and plans."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_safe

from django_videoq_billing.conf import get_settings
from django_videoq_billing.services.entitlements import ensure_subscription
from example_project.videos.forms import SettingsForm, SignUpForm, focus_first_error
from example_project.videos.offers import offers_for
from example_project.videos.panel import UserRequest
from example_project.videos.standing import obstacle_to_change

# The package's default plans carry these texts; named here so that they can be translated.
PLAN_TEXTS = (
    gettext_noop("To try it out."),
    gettext_noop("For people who publish every week."),
    gettext_noop("For teams and archives."),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("library")
    return render(request, "videos/home.html")


@require_http_methods(["GET", "HEAD", "POST"])
def signup(request: HttpRequest) -> HttpResponse:
    """No word about billing: a new user has the default plan from the first second."""
    if request.user.is_authenticated:
        return redirect("library")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save())
        return redirect("library")
    if form.errors:
        focus_first_error(form)
    return render(request, "registration/signup.html", {"form": form}, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: UserRequest) -> HttpResponse:
    form = SettingsForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your settings were saved."))
        return redirect("settings")
    if form.errors:
        focus_first_error(form)
    return render(request, "videos/settings.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """What can be bought, and for a paying user what the plan can be changed to."""
    user = request.user
    context = {
        "offers": offers_for(user),
        "obstacle": obstacle_to_change(ensure_subscription(user)) if user.is_authenticated else "",
        "payments_work": bool(get_settings().STRIPE_SECRET_KEY),
        "came_back": request.GET.get("checkout") == "cancelled",
    }
    return render(request, "videos/plans.html", context)
