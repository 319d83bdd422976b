"""Plans that were given for a time, and whose time is over: the row is put on the default plan, and the user told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import transaction
from django.utils import timezone

from django_videoq_billing.models import Notification, SubscriptionPlan, UserSubscription
from django_videoq_billing.services import outbox
from django_videoq_billing.services.entitlements import default_plan
from django_videoq_billing.signals import plan_changed

BATCH = 200


def end_promotions(may_go_on: Callable[[], bool] = lambda: True) -> Iterator[int]:
    """End each promotion whose moment has passed; yield 1 for each that was ended here.

    The limits have followed the clock already. Safe to run twice and in several places at once.
    """
    over = UserSubscription.objects.filter(assigned_until__lte=timezone.now()).order_by("pk")
    last = 0
    while batch := list(over.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        for pk in batch:
            if not may_go_on():
                return
            if _end(pk):
                yield 1
        last = batch[-1]


def _end(pk: int) -> bool:
    """Look again under the row's lock: the plan may have been given anew, for longer, or bought."""
    now, fallback = timezone.now(), default_plan()
    with transaction.atomic():
        row = UserSubscription.objects.select_for_update().filter(pk=pk, assigned_until__lte=now).first()
        if row is None or row.assigned_until is None:
            return False
        until, previous, row.assigned_until = row.assigned_until, row.plan, None
        changes = not row.is_billed and previous.pk != fallback.pk
        if changes:
            row.plan = fallback
            facts = {"plan": fallback.slug, "from": previous.slug}
            kind = Notification.Kind.DOWNGRADE_DONE
            outbox.add(kind, row.user_id, f"promotion/{until.isoformat()}", facts, happened_at=until)
            transaction.on_commit(lambda: _announce(row, previous), robust=True)
        row.save(update_fields=["plan", "assigned_until", "updated_at"])
    return changes


def _announce(row: UserSubscription, previous: SubscriptionPlan) -> None:
    plan_changed.send_robust(UserSubscription, subscription=row, previous_plan=previous)
