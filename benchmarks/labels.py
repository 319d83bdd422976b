"""What the page and the picture call each contender."""

from __future__ import annotations

CALLS = {
    "bare.socket": "EVALSHA on a bare socket",
    "bare.connection": "EVALSHA on redis-py's connection",
    "bare.evalsha": "EVALSHA through redis-py",
    "bare.evalsha_journal": "the same, with an XADD in the script",
    "redis.count": "**ours, Redis**: count, without a hold",
    "redis.reserve": "**ours, Redis**: reserve",
    "redis.reserve_commit": "**ours, Redis**: reserve and commit",
    "redis.refuse": "**ours, Redis**: refuse",
    "redis.first": "**ours, Redis**: reserve, counters read from the database first",
    "limits.call": "`limits`: hit",
    "ratelimit.call": "`django-ratelimit`: is_ratelimited",
    "throttle.call": "REST framework's throttle",
    "throttle.call_history": "the same, after 100 requests",
    "bare.update_cursor": "UPDATE through Django's cursor",
    "bare.update_journal": "UPDATE and INSERT as one statement, Django's cursor",
    "bare.update_orm": "UPDATE through the ORM",
    "database.count": "**ours, database**: count, without a hold",
    "database.reserve": "**ours, database**: reserve",
    "database.reserve_commit": "**ours, database**: reserve and commit",
    "database.known": "**ours, database**: reserve and commit, the entitlement known",
    "database.refuse": "**ours, database**: refuse",
    "seed.call": "check, then increment",
}

VIEWS = {
    "view.bare": ("nothing", ""),
    "view.redis.counted": ("**ours, Redis**, counted at admission", "view.bare"),
    "view.redis.two_phase": ("**ours, Redis**, reserve and commit", "view.bare"),
    "view.limits": ("`limits`", "view.bare"),
    "view.ratelimit": ("`django-ratelimit`", "view.bare"),
    "view.api_bare": ("nothing, REST framework", ""),
    "view.throttle": ("REST framework's throttle", "view.api_bare"),
    "view.database.counted": ("**ours, database**, counted at admission", "view.bare"),
    "view.database.two_phase": ("**ours, database**, reserve and commit", "view.bare"),
    "view.seed": ("check, then increment", "view.bare"),
}
"""Each with the view that is the same without a limit."""

RACERS = {
    "redis": "**ours, Redis**",
    "database": "**ours, database**",
    "limits": "`limits`",
    "ratelimit": "`django-ratelimit`",
    "throttle": "REST framework's throttle",
    "seed": "check, then increment",
}

RECEIPTS = {
    "receipt.floor": "signature and one INSERT",
    "receipt.ours": "**ours**",
    "receipt.djstripe": "dj-stripe's view",
}


def plain(label: str) -> str:
    """Without Markdown."""
    return label.replace("*", "").replace("`", "")
