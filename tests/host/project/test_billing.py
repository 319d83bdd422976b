"""With pytest: upgrade, renew, fail, cancel, and the quota of an upload, offline."""

import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import UUID

from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from uploads.models import Member, Video

import django_videoq_billing
from django_videoq_billing.testing import BillingSandbox, make_plan, make_user_on

Move = Callable[..., Any]


def test_upgrade_renew_fail_cancel(
    subscribed_user: Move, billing_sandbox: BillingSandbox, fail_next_payment: Move, assert_quota: Move
) -> None:
    member: Member = subscribed_user(plan="standard")
    billing_sandbox.change_plan(member, "premium")
    assert_quota(member, "video", used=0, limit=None)
    assert billing_sandbox.renew(member).status == "active"

    fail_next_payment(member)
    assert billing_sandbox.renew(member).status == "past_due"

    billing_sandbox.cancel(member)
    billing_sandbox.renew(member)
    assert_quota(member, "video", limit=3)


def test_a_late_webhook(
    subscribed_user: Move, advance_billing_time: Move, deliver_webhooks: Move, assert_quota: Move
) -> None:
    member: Member = subscribed_user(plan="standard")
    advance_billing_time(days=31)
    assert_quota(member, "video", used=0, limit=50, allowed=True)
    deliver_webhooks(twice=True, shuffled=True)
    member.refresh_from_db()
    assert member.paid_cents == 2400


def test_the_grace_ends(
    subscribed_user: Move,
    fail_next_payment: Move,
    advance_billing_time: Move,
    deliver_webhooks: Move,
    run_billing_jobs: Move,
    assert_quota: Move,
) -> None:
    member: Member = subscribed_user(plan="standard")
    fail_next_payment(member, times=9)
    advance_billing_time(days=31)
    deliver_webhooks()
    assert_quota(member, "video", limit=50)
    mail.outbox.clear()
    advance_billing_time(days=4)
    run_billing_jobs()
    assert_quota(member, "video", limit=3)
    assert [message.to for message in mail.outbox] == [[member.email]]


def test_an_upload_at_the_limit(client: Client, subscribed_user: Move, assert_quota: Move) -> None:
    member: Member = subscribed_user(plan=make_plan(slug="tiny", video_limit=1))
    client.force_login(member)
    assert [post(client, b""), post(client), post(client)] == [400, 201, 403]
    assert_quota(member, "video", used=1, limit=1, allowed=False)
    assert Video.objects.get().uploaded_at == timezone.now()


def test_a_friend_of_the_house(billing_sandbox: BillingSandbox, assert_quota: Move) -> None:
    assert_quota(make_user_on("premium", email="friend@example.com"), "video", limit=None, allowed=True)


def test_an_operator_names_a_member_by_the_key(client: Client, subscribed_user: Move) -> None:
    member: Member = subscribed_user(plan="standard")
    assert isinstance(member.pk, UUID)
    client.force_login(member)
    assert post(client) == 201
    shown = json.loads(told("show_usage", str(member.pk), "--json"))
    assert (shown["user_id"], shown["current_period"]["video"]["used"]) == (str(member.pk), 1)
    kept = json.loads(told("export_billing_data", str(member.pk)))
    assert str(member.pk) in json.dumps(kept)
    told("sync_stripe", str(member.pk))
    told("anonymise_billing_data", str(member.pk), "--cancel", "--yes")
    assert json.loads(told("show_usage", str(member.pk), "--json"))["status"] != "active"


def test_a_member_leaves_the_e_mails(client: Client, subscribed_user: Move, run_billing_jobs: Move) -> None:
    client.force_login(subscribed_user(plan=make_plan(slug="tiny", video_limit=1)))
    assert post(client) == 201
    run_billing_jobs()
    link = re.findall(r"/api/billing/unsubscribe/[^\s\"]+", str(mail.outbox[-1].body))[0]
    assert client.post(link, secure=True).status_code == 200
    assert client.post(link[:-1], secure=True).status_code == 404


def test_it_is_the_wheel() -> None:
    assert "site-packages" in str(django_videoq_billing.__file__)


def told(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def post(client: Client, content: bytes = b"a video") -> int:
    data = {"file": SimpleUploadedFile("talk.mp4", content)} if content else {}
    return client.post("/upload/", data, secure=True).status_code
