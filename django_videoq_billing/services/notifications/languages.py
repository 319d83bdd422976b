"""Which language a user reads."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.module_loading import import_string
from django.utils.translation import get_language, get_supported_language_variant

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import EmailPreference
from django_videoq_billing.models.upserts import upsert


def language_of(user: AbstractBaseUser) -> str:
    """Return USER_LANGUAGE's answer, else the language last used for billing, else LANGUAGE_CODE.

    Only what LANGUAGES has counts; anything else is passed over.
    """
    path = get_settings().USER_LANGUAGE
    given = import_string(path)(user) if path else ""
    return _supported(given) or _known(user)


def remember_language(user: AbstractBaseUser) -> None:
    """Keep the language that is active now for the user's e-mails; nothing is written where it is known."""
    language = _supported(get_language())
    if language and language != _known(user):
        row = EmailPreference(user_id=user.pk, language=language)
        upsert(EmailPreference.objects.all(), [row], ["user"], ["language", "updated_at"])


def _known(user: AbstractBaseUser) -> str:
    kept = EmailPreference.objects.filter(user_id=user.pk).values_list("language", flat=True).first()
    site = django_settings.LANGUAGE_CODE
    return _supported(kept) or _supported(site) or site


def _supported(code: object) -> str:
    try:
        return get_supported_language_variant(str(code)) if code else ""
    except LookupError:
        return ""
