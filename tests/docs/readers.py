"""What the pages' Python blocks take for granted, and what they must do; `views.md` and others have files of their own."""

from __future__ import annotations

import logging.config
from collections import defaultdict
from contextlib import AbstractContextManager
from datetime import timedelta
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import QuotaExceeded
from django_videoq_billing.models import TranscriptionJob, UserSubscription
from django_videoq_billing.services.entitlements import entitlement_for
from django_videoq_billing.services.plans import seed_plans
from django_videoq_billing.services.usage_tracker import UsageTracker
from django_videoq_billing.signals import payment_succeeded, plan_changed, quota_exceeded
from django_videoq_billing.webhooks import registry
from example_project.videos.models import Video
from tests.docs.running import Page, reads
from tests.docs.visiting import as_view, post, request_of
from tests.factories import make_payment, make_plan, make_user, subscribed


def a_module(name: str, **names: Any) -> dict[str, ModuleType]:
    module = ModuleType(name)
    vars(module).update(names)
    package = name.partition(".")[0]
    return {package: ModuleType(package), name: module}


def handlers_of_the_page_alone() -> AbstractContextManager[Any]:
    """Within the block a page may register handlers; they are gone afterwards, and nobody else's are there."""
    return mock.patch.object(registry, "_handlers", defaultdict(list))


def a_video(user: Any) -> Video:
    return Video.objects.create(owner=user, title="A", size_bytes=1, duration_seconds=59.2)


@reads("README.md")
def readme(page: Page, client: Any) -> None:
    # The first block also is a project of its own: tests/test_readme.py.
    found = page.run(1, modules=a_module("mysite.views", upload=lambda request: None))
    assert [post(client, found["upload"]).status_code for _ in range(4)] == [201, 201, 201, 403]
    user = make_user()
    given = {"user": user, "estimated_seconds": 60, "request": request_of(user), "video": None}
    page.run(2, **given, transcribe=lambda video: 59.2)
    assert UsageTracker.get_usage(user)["transcription_seconds"] == 60
    given["estimated_seconds"] = 30 * 60
    assert page.run(2, **given, transcribe=lambda video: 59.2)["answer"].status_code == 403
    page.run_the_rest()


@reads("index.md")
def index(page: Page, client: Any) -> None:
    view = page.run(1)["upload"]
    assert [post(client, view).status_code for _ in range(4)] == [201, 201, 201, 403]


@reads("admin.md")
def admin_page(page: Page, client: Any) -> None:
    site = admin.AdminSite()
    decorators = SimpleNamespace(register=lambda model: admin.register(model, site=site))
    found = page.run(1, admin=decorators, User=User, UserAdmin=UserAdmin)
    assert isinstance(site.get_model_admin(User), found["MyUserAdmin"])

    plan = make_plan(video_limit=4)
    user = subscribed(make_plan())
    UsageTracker.count(user, "transcription", 7)
    moment = timezone.now() + timedelta(days=2)
    request = SimpleNamespace(user=make_user())
    page.run(2, user=user, plan=plan, moment=moment, request=request)
    assert entitlement_for(user).plan_slug == plan.slug
    assert UsageTracker.report(user).video_limit == 14
    late = subscribed(plan, status="past_due", grace_period_end=timezone.now())
    page.run(3, user=late, moment=moment)
    assert entitlement_for(late).plan_slug == plan.slug


@reads("commands.md")
def commands(page: Page, client: Any) -> None:
    user = make_user()
    period = entitlement_for(user).period
    a_video(user)
    assert page.run(1)["uploads_of"](user, period) == 1
    videos = SimpleNamespace(filter=lambda **kwargs: Videos([SimpleNamespace(seconds=20)] * 2))
    used = page.run(2)["used_by"](SimpleNamespace(videos=videos), period)
    assert used == {"video": 2, "transcription": 40}
    assert page.run(3)["DJSTRIPE_FOREIGN_KEY_TO_FIELD"] == "id"


class Videos(list[Any]):
    def count(self, *ignored: Any) -> int:
        return len(self)


@reads("errors.md")
def errors(page: Page, client: Any) -> None:
    saved: list[Any] = []
    import_videos = page.run(1, save=saved.extend)["import_videos"]
    assert import_videos(make_user(), ["a", "b"]) is None
    assert saved == ["a", "b"]
    assert import_videos(make_user(), ["a"] * 4).endswith(" 3 a month are included.")
    assert import_videos(None, ["a"]) == "Sign in to continue."


@reads("operations.md")
def operations(page: Page, client: Any) -> None:
    from celery import Celery

    app = Celery("mysite", set_as_current=False)
    page.run(1, app=app)
    assert app.conf.beat_schedule["videoq-billing"]["task"] == "videoq_billing.run_due_jobs"
    page.run(2)
    logging.config.DictConfigurator(page.run(3)["LOGGING"])
    metrics = page.run(4)["urlpatterns"][0].callback
    assert b"videoq_billing" in metrics(request_of(None)).content
    # That is how a host's server is told; the library reads it from nowhere else.
    with TemporaryDirectory() as folder, mock.patch.dict("os.environ", PROMETHEUS_MULTIPROC_DIR=folder):
        assert list(page.run(5)["registry"].collect())


@reads("redis.md")
def redis(page: Page, client: Any) -> None:
    for number in (1, 3):
        given = page.run(number)
        with override_settings(
            CACHES=given.get("CACHES", {"default": {}}), VIDEOQ_BILLING=given["VIDEOQ_BILLING"]
        ):
            assert get_settings().USAGE_STORE == "redis"
    page.run(2)  # that it counts there: test_cluster.py


@reads("usage.md")
def usage(page: Page, client: Any) -> None:
    assert post(client, page.run(1)["upload"]).status_code == 201
    assert page.run(2)["UploadView"]().get_quota_amount(None) == 1
    transcriptions(page)
    with handlers_of_the_page_alone():
        handler = page.run(5)["tell_the_team"]
        assert handler in registry.handlers_for("charge.dispute.created")


def transcriptions(page: Page) -> None:
    user = make_user()

    def ask_whisper(file: object) -> Any:
        return SimpleNamespace(duration=59.2)

    page.run(3, ask_whisper=ask_whisper)["transcribe"](user, a_video(user))
    assert UsageTracker.get_usage(user)["transcription_seconds"] == 60

    found = page.run(4, ask_whisper=ask_whisper)
    waiting: list[Any] = []
    found["transcribe"].delay_on_commit = waiting.append
    found["upload"](request_of(user), a_video(user))
    found["transcribe"].run(*waiting)
    assert set(TranscriptionJob.objects.values_list("status", flat=True)) == {"completed"}
    assert UsageTracker.get_usage(user)["transcription_seconds"] == 120


@reads("signals.md")
def signals(page: Page, client: Any) -> None:
    told: list[str] = []
    found = page.run(1, notify=told.append)
    names = {"welcome": plan_changed, "book": payment_succeeded, "somebody_wants_more": quota_exceeded}
    user = make_user()
    try:
        UsageTracker.count(user, "video", 2)
        UsageTracker.reserve(user, "video", 2)
    except QuotaExceeded:
        pass
    subscription = UserSubscription.objects.get(user=user)
    plan_changed.send(UserSubscription, subscription=subscription, previous_plan=subscription.plan)
    payment_succeeded.send(None, transaction=make_payment(user=user))
    for name, signal in names.items():
        assert signal.disconnect(found[name])
    assert told == [
        f"{user} needed 2 more of video, and had 3",
        f"{user} moved from Free ($0.00) to Free ($0.00)",
        "1200 USD",
    ]


@reads("webhooks.md")
def webhooks(page: Page, client: Any) -> None:
    told: list[str] = []
    with handlers_of_the_page_alone():
        handler = page.run(1, notify=told.append)["tell_the_team"]
        assert handler in registry.handlers_for("charge.dispute.created")
        assert handler in registry.handlers_for("radar.early_fraud_warning.created")
        handler(SimpleNamespace(type="charge.dispute.created"))
    assert told == ["Look at charge.dispute.created"]


@reads("celery.md")
def celery(page: Page, client: Any) -> None:
    from celery import current_app

    before = current_app._get_current_object()
    try:
        app = page.run(1)["app"]
        assert app.conf.beat_schedule["videoq-billing"]["task"] == "videoq_billing.run_due_jobs"
        assert page.run(2, modules=a_module("mysite.celery", app=app))["celery_app"] is app
    finally:
        before.set_current()
    page.run(3)


@reads("plans.md")
def plans(page: Page, client: Any) -> None:
    with override_settings(VIDEOQ_BILLING=page.run(1)["VIDEOQ_BILLING"]):
        assert sorted(seed_plans().created) == ["starter", "team", "team-yearly"]
    seed_plans()
    user = make_user()
    assert page.run(2)["may_upload_hd"](user) is False
    assert page.run(2)["may_upload_hd"](subscribed(make_plan(feature_flags={"hd": True}))) is True
    page.run(3, user=user)
    assert UsageTracker.report(user).video_limit == 5000
    page.run(5, user=user)
    assert UsageTracker.report(user).video_limit == 5010
    page.run(4, user=user)
    assert entitlement_for(user).plan_slug == "premium"


@reads("coming-from.md")
def coming_from(page: Page, client: Any) -> None:
    # What it leads to at Stripe: tests/commands/test_coming_from.py.
    user = make_user()
    page.run(1)["take_over"]([(user, "cus_NffrFeUfNV2Hib")])
    assert UserSubscription.objects.get(user=user).stripe_customer_id == "cus_NffrFeUfNV2Hib"


@reads("views.md")
def views(page: Page, client: Any) -> None:
    # Whether each kind counts and refuses is asked in test_views.py.
    for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10):
        names = page.run(number)
        assert callable(
            as_view(names, "Upload" if "Upload" in names else "Videos" if "Videos" in names else "upload")
        )
    user = make_user()
    import_video = page.run(11)["import_video"]
    assert import_video(user, SimpleNamespace(read_bytes=lambda: b"video")) == b"video"
    assert UsageTracker.get_usage(user)["video_count"] == 1


def settings_only(page: Page, client: Any) -> None:
    page.run_the_rest()
