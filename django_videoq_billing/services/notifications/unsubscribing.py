"""E-mails that a user may do without, and the signed link that says so without a login."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import router, transaction

from django_videoq_billing.models import EmailPreference, Notification
from django_videoq_billing.models.upserts import insert_missing
from django_videoq_billing.types import UserId

Kind = Notification.Kind

OPTIONAL = (Kind.USAGE_WARNING, Kind.UPGRADE_CONFIRMED, Kind.REACTIVATED)
"""The others tell of money, or of access that will end."""

_SALT = "videoq_billing.unsubscribe"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One user and one kind of e-mail that may be unwanted."""

    user: AbstractBaseUser
    kind: Notification.Kind

    @property
    def is_wanted(self) -> bool:
        return wants(self.user.pk, self.kind)

    def want(self, wanted: bool) -> None:
        with transaction.atomic(using=router.db_for_write(EmailPreference)):
            row = EmailPreference(user_id=self.user.pk)
            insert_missing(EmailPreference.objects.all(), [row], ["user"])
            preference = EmailPreference.objects.select_for_update().get(user_id=self.user.pk)
            others = [kind for kind in preference.unsubscribed if kind != self.kind]
            preference.unsubscribed = others if wanted else [*others, self.kind.value]
            preference.save()


def token_for(user_id: UserId, kind: str) -> str:
    return signing.Signer(salt=_SALT).sign_object([str(user_id), kind])


def read_token(token: str) -> Subscription | None:
    """Return whom and what the link of an e-mail stands for; None where we did not make it, or nobody is left."""
    try:
        user_id, kind = signing.Signer(salt=_SALT).unsign_object(token)
        user = get_user_model()._default_manager.filter(pk=user_id).first()
        return Subscription(user, Kind(kind)) if user is not None and kind in OPTIONAL else None
    except (signing.BadSignature, TypeError, ValueError, ValidationError):
        return None


def wants(user_id: UserId, kind: str) -> bool:
    """Whether the user is to have e-mails of this kind."""
    if kind not in OPTIONAL:
        return True
    unwanted = EmailPreference.objects.filter(user_id=user_id).values_list("unsubscribed", flat=True).first()
    return kind not in (unwanted or [])
