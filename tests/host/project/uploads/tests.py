"""With Django's own runner: `python manage.py test`."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, TransactionTestCase

from django_videoq_billing.testing import BillingTestCase
from uploads.models import Member, Video


class Uploads(BillingTestCase, TestCase):
    def test_more_may_be_uploaded_after_an_upgrade(self) -> None:
        member: Member = self.subscribed_user("free")
        self.client.force_login(member)
        answers = [self.upload() for _ in range(4)]
        self.assertEqual(answers, [201, 201, 201, 403])

        self.subscribe(member, "standard")

        self.assertEqual(self.upload(), 201)
        self.assert_quota(member, "video", used=1, limit=50)
        self.assertEqual(Video.objects.count(), 4)

    def upload(self) -> int:
        file = SimpleUploadedFile("talk.mp4", b"a video")
        return self.client.post("/upload/", {"file": file}, secure=True).status_code


class Payments(BillingTestCase, TransactionTestCase):
    def test_what_was_paid_is_added_up(self) -> None:
        member: Member = self.subscribed_user("standard")
        self.renew(member)
        member.refresh_from_db()
        self.assertEqual(member.paid_cents, 2400)
