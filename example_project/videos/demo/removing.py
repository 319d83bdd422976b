"""Taking the made-up year out again, and nothing else."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import ProtectedError, QuerySet

from django_videoq_billing.models import PaymentTransaction, SubscriptionPlan, UserSubscription, WebhookEvent
from example_project.videos.demo import inbox, people
from example_project.videos.demo.plans import OWN


def demo_users() -> QuerySet[User]:
    return User.objects.filter(email__endswith=people.MARK)


def remove() -> tuple[int, list[str]]:
    """Return how many users were removed, and which of the demo's plans stay, as somebody else has them.

    The ledger refuses to delete lines, which are books; these are none, so they go past its manager. And
    subscriptions go before their users, or deleting a user would end billing at Stripe.
    """
    with transaction.atomic():
        users = demo_users()
        count = users.exclude(is_staff=True).count()
        QuerySet(PaymentTransaction).filter(stripe_object_id__regex=r"^(in|re|dp)_demo_\d+_\d+$").delete()
        UserSubscription.objects.filter(user__in=users).delete()
        WebhookEvent.objects.filter(stripe_event_id__startswith=inbox.MARK).delete()
        users.delete()
    return count, [slug for slug in OWN if not _remove_plan(slug)]


def _remove_plan(slug: str) -> bool:
    try:
        SubscriptionPlan.objects.filter(slug=slug).delete()
    except ProtectedError:
        return False
    return True
