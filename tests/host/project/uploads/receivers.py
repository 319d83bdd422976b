"""What this project does of its own when somebody pays."""

from typing import Any

from django.db.models import F
from django.dispatch import receiver

from django_videoq_billing.signals import payment_succeeded
from uploads.models import Member


@receiver(payment_succeeded)
def add_up(sender: object, transaction: Any, **kwargs: Any) -> None:
    members = Member.objects.filter(pk=transaction.user_id)
    members.update(paid_cents=F("paid_cents") + transaction.amount_cents)
