"""Examples for test_conf.py: what the settings of e-mails, of pages and of what is kept may be, and what they may not."""

from __future__ import annotations

from typing import Any

from django_videoq_billing.conf_rules import ALL_EMAILS

EMAILS_VALID: list[tuple[str, Any, Any]] = [
    ("WEBHOOK_RETENTION_DAYS", 30, 30),
    ("USAGE_RETENTION_MONTHS", 12, 12),
    ("EMAIL_FROM", "", ""),
    ("EMAIL_FROM", "billing@example.com", "billing@example.com"),
    ("EMAIL_FROM", "VideoQ <billing@example.com>", "VideoQ <billing@example.com>"),
    ("EMAIL_SENDING", "celery", "celery"),
    ("EMAILS", {}, ALL_EMAILS),
    ("EMAILS", {"refund": False}, {**ALL_EMAILS, "refund": False}),
    ("SITE_URL", "https://videos.example.com", "https://videos.example.com"),
    ("SITE_NAME", "VideoQ", "VideoQ"),
    ("BILLING_URL", "shop:billing", "shop:billing"),
    ("BASE_TEMPLATE", "shop/base.html", "shop/base.html"),
    ("NO_SCRIPT_URL", "shop:plain", "shop:plain"),
    ("USER_LANGUAGE", "shop.users.language", "shop.users.language"),
    ("PAYMENT_REMINDER_DAYS", [], ()),
    ("PAYMENT_REMINDER_DAYS", [1, 3, 7], (1, 3, 7)),
    ("TRIAL_ENDING_DAYS", 7, 7),
]

_NO_SWITCHES: list[Any] = [None, [], {"refunds": True}, {"refund": 1}, {1: True}]

EMAILS_INVALID: list[tuple[str, Any, str]] = [
    *[("WEBHOOK_RETENTION_DAYS", value, "days from 30 to 3650") for value in (29, 3651, "90", None, True)],
    *[("USAGE_RETENTION_MONTHS", value, "months from 12 to 600") for value in (11, 601, None, True)],
    *[
        ("EMAIL_FROM", value, "an address such as")
        for value in ("billing", "a@b.c\r\nBcc: d@e.f", "@", "a b", None, 1)
    ],
    *[("EMAIL_SENDING", value, "'inline', 'worker' or 'celery'") for value in ("", "thread", None, True)],
    *[("EMAILS", value, "to True or False") for value in _NO_SWITCHES],
    *[("SITE_URL", value, "a web address such as") for value in ("example.com", "https://a/", "/", None)],
    *[("SITE_NAME", value, "a text of up to 100") for value in ("x" * 101, None, 1)],
    *[("BILLING_URL", value, "a path such as") for value in ("//evil", "javascript:alert(1)", None, 1)],
    *[("BASE_TEMPLATE", value, "the name of a template") for value in ("my base.html", None, 1)],
    *[("NO_SCRIPT_URL", value, "a path such as") for value in ("//evil", "javascript:alert(1)", None, 1)],
    *[("USER_LANGUAGE", value, "dotted path of a function") for value in ("language", None, len)],
    *[
        ("PAYMENT_REMINDER_DAYS", value, "a list of rising whole days")
        for value in (None, 1, [0], [2, 1], [1, 1], ["1"], [True])
    ],
    *[("TRIAL_ENDING_DAYS", value, "days from 1 to 30") for value in (0, 31, None, True, "3")],
]
