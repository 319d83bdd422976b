"""The seed's own tests (step 5.1 of its quickstart), unchanged but for imports."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.test import TestCase
from django.utils import timezone

from django_videoq_billing.models import SubscriptionPlan, UsageRecord, UserSubscription
from django_videoq_billing.services.usage_tracker import UsageTracker

User = get_user_model()


class UsageTrackerTestCase(TestCase):
    def setUp(self):
        self.user = User.objects.create_user(username='testuser', email='test@example.com')
        self.plan = SubscriptionPlan.objects.create(
            name='Test Plan',
            slug='test',
            video_limit=5,
            transcription_limit_minutes=60
        )
        self.subscription = UserSubscription.objects.create(
            user=self.user,
            plan=self.plan,
            current_period_start=timezone.now(),
            current_period_end=timezone.now() + timedelta(days=30)
        )

    def test_can_upload_video_under_limit(self):
        allowed, message = UsageTracker.can_upload_video(self.user)
        self.assertTrue(allowed)
        self.assertEqual(message, "")

    def test_cannot_upload_video_at_limit(self):
        # Create usage at limit
        UsageRecord.objects.create(
            user=self.user,
            billing_period_start=self.subscription.current_period_start,
            billing_period_end=self.subscription.current_period_end,
            video_count=5  # At limit
        )

        allowed, message = UsageTracker.can_upload_video(self.user)
        self.assertFalse(allowed)
        self.assertIn("limit reached", message.lower())
