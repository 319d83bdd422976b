"""Addresses in e-mails: absolute, or left out where the site does not say where it is."""

from __future__ import annotations

from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse

from django_videoq_billing.conf import get_settings
from django_videoq_billing.http import billing_page
from django_videoq_billing.models import Notification
from django_videoq_billing.services.notifications.unsubscribing import token_for


def absolute(target: str) -> str:
    """Return the address of a path, an address or a pattern's name; "" where it cannot be said."""
    try:
        url = resolve_url(target) if target else ""
    except NoReverseMatch:  # check E003 says so for UPGRADE_URL
        return ""
    if urlsplit(url).scheme:
        return url
    site = get_settings().SITE_URL
    return f"{site}{url}" if site and url.startswith("/") else ""


def upgrade_url() -> str:
    return absolute(get_settings().UPGRADE_URL or billing_page())


def billing_url() -> str:
    given = get_settings()
    return absolute(given.BILLING_URL or billing_page() or given.UPGRADE_URL)


def unsubscribe_url(notification: Notification) -> str:
    try:
        path = reverse(
            "videoq_billing:unsubscribe", args=[token_for(notification.user_id, notification.kind)]
        )
    except NoReverseMatch:  # the host has not included our addresses
        return ""
    return absolute(path)


def site_name() -> str:
    return str(get_settings().SITE_NAME) or _host()


def sender() -> str:
    return get_settings().EMAIL_FROM or django_settings.DEFAULT_FROM_EMAIL


def mail_domain() -> str:
    """The right side of our Message-IDs: the site's host, or the sender's."""
    return _host() or parseaddr(sender())[1].rpartition("@")[2] or "localhost"


def _host() -> str:
    return urlsplit(get_settings().SITE_URL).hostname or ""
