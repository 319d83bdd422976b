"""Examples for test_conf.py: what the settings of Stripe may be, and what they may not."""

from __future__ import annotations

from typing import Any

STRIPE_VALID: list[tuple[str, Any, Any]] = [
    ("STRIPE_SECRET_KEY", "", ""),
    ("STRIPE_SECRET_KEY", "sk_test_51Abc", "sk_test_51Abc"),
    ("STRIPE_SECRET_KEY", "rk_live_51Abc", "rk_live_51Abc"),
    ("STRIPE_WEBHOOK_SECRET", "", ""),
    ("STRIPE_WEBHOOK_SECRET", "whsec_a+b/c=", "whsec_a+b/c="),
    ("STRIPE_WEBHOOK_SECRET", [], ()),
    ("STRIPE_WEBHOOK_SECRET", ["whsec_new", "whsec_old"], ("whsec_new", "whsec_old")),
    ("STRIPE_API_BASE", "", ""),
    ("STRIPE_API_BASE", "http://127.0.0.1:12111", "http://127.0.0.1:12111"),
    ("STRIPE_TIMEOUT_SECONDS", 1, 1),
    ("STRIPE_MAX_NETWORK_RETRIES", 0, 0),
    *[
        (key, link, link)
        for key in ("CHECKOUT_SUCCESS_URL", "CHECKOUT_CANCEL_URL")
        for link in ("/", "/thanks/?session={CHECKOUT_SESSION_ID}", "https://app.example.com/", "shop:thanks")
    ],
    ("CHECKOUT_PAYMENT_METHOD_TYPES", [], ()),
    ("CHECKOUT_PAYMENT_METHOD_TYPES", ["card", "sepa_debit"], ("card", "sepa_debit")),
    ("CHECKOUT_PROMOTION_CODES", True, True),
    ("CHECKOUT_AUTOMATIC_TAX", True, True),
    ("CHECKOUT_LOCALE", "auto", "auto"),
    ("CHECKOUT_LOCALE", "pt-BR", "pt-BR"),
    ("CANCEL_ON_USER_DELETE", False, False),
    ("WEBHOOK_PROCESSING", "inline", "inline"),
    ("WEBHOOK_PROCESSING", "worker", "worker"),
    ("WEBHOOK_TOLERANCE_SECONDS", 3600, 3600),
    ("WEBHOOK_MAX_BYTES", 1000, 1000),
    ("WEBHOOK_RETRY_MINUTES", [5], (5,)),
    ("WEBHOOK_RETRY_MINUTES", (1, 1, 10080), (1, 1, 10080)),
    ("WEBHOOK_LEASE_SECONDS", 10, 10),
]

_LINKS = (
    "",
    None,
    1,
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/a b",
    "x/y",
)

STRIPE_INVALID: list[tuple[str, Any, str]] = [
    *[
        ("STRIPE_SECRET_KEY", value, "a secret or restricted key of Stripe")
        for value in (
            "pk_test_51Abc",
            "whsec_1",
            "sk_",
            "sk_test_1\n",
            " sk_test_1",
            "sk_test_1 ",
            None,
            1,
            b"sk_a",
        )
    ],
    *[
        ("STRIPE_WEBHOOK_SECRET", value, "the signing secret of the webhook endpoint")
        for value in (
            "whsec_1 ",
            "whsec_1\n",
            None,
            1,
            {"whsec_1"},
            ["whsec_1", None],
            ["whsec 1"],
            b"whsec_1",
        )
    ],
    *[
        ("STRIPE_API_BASE", value, "a web address such as")
        for value in (
            "127.0.0.1:12111",
            "http://",
            "http://127.0.0.1:12111/",
            "ftp://a",
            "http://[1",
            None,
            1,
        )
    ],
    *[("STRIPE_TIMEOUT_SECONDS", value, "seconds from 1 to 80") for value in (0, 81, 2.5, "20", True, None)],
    *[("STRIPE_MAX_NETWORK_RETRIES", value, "from 0 to 5") for value in (-1, 6, "2", True, None)],
    *[
        (key, value, "a path such as")
        for key in ("CHECKOUT_SUCCESS_URL", "CHECKOUT_CANCEL_URL")
        for value in _LINKS[1:]
    ],
    *[
        ("CHECKOUT_PAYMENT_METHOD_TYPES", value, "payment method types such as 'card'")
        for value in ("card", {"card"}, ["Card"], [""], [None], None)
    ],
    *[
        (key, value, "True or False")
        for key in ("CHECKOUT_PROMOTION_CODES", "CHECKOUT_AUTOMATIC_TAX", "CANCEL_ON_USER_DELETE")
        for value in (1, 0, "yes", None)
    ],
    *[("CHECKOUT_LOCALE", value, "'auto' or a locale") for value in ("", "j", "ja_JP", "a" * 8, None, 1)],
    *[
        ("WEBHOOK_PROCESSING", value, "'inline', 'worker' or 'celery'")
        for value in ("", "thread", "INLINE", None, True)
    ],
    *[("WEBHOOK_TOLERANCE_SECONDS", value, "seconds from 1 to 3600") for value in (0, 3601, "300", None)],
    *[("WEBHOOK_MAX_BYTES", value, "bytes from 1000 to") for value in (999, 10**8 + 1, 1e6, "1 MB", None)],
    *[
        ("WEBHOOK_RETRY_MINUTES", value, "a list of whole minutes from 1")
        for value in ([], 5, "5", [0], [1, True], [1.5], [10081], None)
    ],
    *[("WEBHOOK_LEASE_SECONDS", value, "seconds from 10 to 86400") for value in (9, 86401, None, "300")],
]
