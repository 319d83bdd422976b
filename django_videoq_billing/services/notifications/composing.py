"""A row of the outbox as an e-mail: whom it goes to, in which language, from which templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.template.loader import render_to_string
from django.utils import timezone, translation

from django_videoq_billing.conf import get_settings
from django_videoq_billing.models import Notification, UserSubscription
from django_videoq_billing.services.notifications import (  # noqa: F401 (tellers register)
    links,
    payment_messages,
    plan_messages,
    usage_messages,
)
from django_videoq_billing.services.notifications.languages import language_of
from django_videoq_billing.services.notifications.mail import Mail
from django_videoq_billing.services.notifications.telling import TELLERS, Case, Message, Outdated, ensure
from django_videoq_billing.services.notifications.unsubscribing import OPTIONAL, wants

TEMPLATES = "django_videoq_billing/emails"


def compose(notification: Notification) -> Mail:
    """Return the e-mail as it is true now; raises Outdated where there is nothing to say or nobody to say it to."""
    user = get_user_model()._default_manager.filter(pk=notification.user_id).first()
    if user is None or not user.is_active:
        raise Outdated("The account is switched off.")
    address = str(getattr(user, user.get_email_field_name(), None) or "")
    ensure(address, "The user has no e-mail address.")
    ensure(get_settings().EMAILS.get(notification.kind), "This kind is switched off.")
    ensure(wants(notification.user_id, notification.kind), "The user has unsubscribed.")
    with translation.override(language_of(user)), timezone.override(None):
        message = TELLERS[notification.kind](_case(notification, user))
        return rendered(message, notification, user, address)


def _case(notification: Notification, user: AbstractBaseUser) -> Case:
    rows = UserSubscription.objects.select_related("plan", "pending_plan")
    return Case(notification, user, rows.filter(user_id=user.pk).first())


def rendered(message: Message, notification: Notification, user: AbstractBaseUser, address: str) -> Mail:
    """From the templates of the message's kind; the headers follow RFC 3834 and RFC 8058."""
    optional = message.kind in OPTIONAL
    unsubscribe_url = links.unsubscribe_url(notification) if optional else ""
    context = {
        **message.context,
        "user": user,
        "name": _name_of(user),
        "site_name": links.site_name(),
        "site_url": get_settings().SITE_URL,
        "billing_url": links.billing_url(),
        "upgrade_url": links.upgrade_url(),
        "unsubscribe_url": unsubscribe_url,
    }
    context["subject"] = " ".join(_render(message.kind, "subject.txt", context).split())
    headers = {
        "Message-ID": f"<{notification.message_id}@{links.mail_domain()}>",
        "Auto-Submitted": "auto-generated",
    }
    if unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = Mail(
        subject=context["subject"],
        body=_tidy(_render(message.kind, "body.txt", context)),
        from_email=links.sender(),
        to=[address],
        headers=headers,
    )
    mail.attach_alternative(_tidy(_render(message.kind, "body.html", context)), "text/html")
    return mail


def _name_of(user: AbstractBaseUser) -> str:
    short = getattr(user, "get_short_name", str)()
    return str(short or user.get_username())


def _render(kind: str, name: str, context: Mapping[str, Any]) -> str:
    return render_to_string(f"{TEMPLATES}/{kind}/{name}", dict(context))


def _tidy(text: str) -> str:
    """Take out the empty lines that a template's tags leave behind."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"
