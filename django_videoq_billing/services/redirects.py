"""Where a user may be sent back to after a visit at Stripe: this site, and the hosts it names."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from django_videoq_billing.conf import get_settings
from django_videoq_billing.exceptions import InvalidRedirectUrl


def safe_redirect(field: str, given: str | None, default: str, *, origin: str) -> str:
    """Return an absolute URL to come back to; raises InvalidRedirectUrl for one that leads elsewhere.

    `origin` is the site's own scheme and host, as in "https://example.com". A path is taken to be on it.
    """
    url = given or resolve_url(default)
    scheme, host = urlsplit(origin)[:2]
    hosts = {host, *get_settings().ALLOWED_REDIRECT_HOSTS}
    if not _is_plain(url) or not url_has_allowed_host_and_scheme(
        url, allowed_hosts=hosts, require_https=scheme == "https"
    ):
        raise InvalidRedirectUrl.field(field)
    return url if urlsplit(url).scheme else f"{origin}{url}"


def _is_plain(url: str) -> bool:
    """Refuse what browsers read differently from us: backslashes, control characters, user names, no host."""
    if "\\" in url or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if "@" in parts.netloc:
        return False
    return bool(parts.netloc) if parts.scheme else url.startswith("/") and not url.startswith("//")
