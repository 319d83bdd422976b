"""The documentation is complete: what exists has its row, and links lead somewhere. tests/docs runs what is on the pages."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from django_videoq_billing import checks, exceptions, production
from django_videoq_billing.api import errors
from django_videoq_billing.conf import BillingSettings, PlanSettings, get_settings
from django_videoq_billing.exceptions import BillingError
from django_videoq_billing.http import STATUS_BY_ERROR
from django_videoq_billing.jobs import JOBS
from django_videoq_billing.pages import checks as page_checks
from django_videoq_billing.services import stripe_mirror
from django_videoq_billing.usage.redis_store import risks
from django_videoq_billing.webhooks import registry
from django_videoq_billing.webhooks.registry import handlers_for

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
LEAVES = [
    leaf for leaf in vars(exceptions).values() if isinstance(leaf, type) and issubclass(leaf, BillingError)
]


def rows(page: str) -> dict[str, list[str]]:
    """Return the cells of every table row, by the code in its first cell."""
    lines = re.findall(r"^\| `([^`]+)` \| (.*) \|$", page, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in lines}


def test_every_setting_and_plan_key_has_its_row() -> None:
    names = [option.name for kind in (BillingSettings, PlanSettings) for option in fields(kind)]
    missing = [name for name in names if len(rows(SETTINGS).get(name, [])) != 3]
    assert missing == ["slug"], "a slug is the key of PLANS and has no row of its own"


@pytest.mark.parametrize("kind", [BillingSettings, PlanSettings])
def test_every_default_is_the_documented_one(kind: type[BillingSettings] | type[PlanSettings]) -> None:
    with override_settings(VIDEOQ_BILLING={"PLANS": {"free": {"name": "Free"}}}):
        actual: Any = get_settings() if kind is BillingSettings else get_settings().PLANS["free"]
    for option in fields(kind):
        if option.name in ("PLANS", "slug", "name"):
            continue
        documented = rows(SETTINGS)[option.name][1]
        value = getattr(actual, option.name)
        shown = [] if option.name == "features" else value
        assert documented in (f"`{shown!r}`", f"`{shown!r}`".replace("'", '"')), option.name


def test_every_check_has_its_row() -> None:
    source = "".join(
        Path(str(module.__file__)).read_text(encoding="utf-8")
        for module in (checks, page_checks, production, risks)
    )
    ids = re.findall(r'"(videoq_billing\.[EW]\d+)"', source)
    assert ids
    assert [name for name in rows(SETTINGS) if name.startswith("videoq_billing.")] == sorted(ids)


def test_every_job_has_its_row() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert JOBS.keys() - rows(page).keys() == set()


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_has_its_row(leaf: type[BillingError]) -> None:
    status, exception, *rest = rows(ERRORS)[leaf.code]
    assert leaf.__name__ in re.findall(r"`(\w+)`", exception)
    assert all(rest)
    expected = {exceptions.QuotaExceeded: 403, BillingError: 500}
    table = (STATUS_BY_ERROR[kind] for kind in leaf.__mro__ if kind in STATUS_BY_ERROR)
    assert status.split(",")[0] == str(expected.get(leaf) or int(next(table)))


def test_every_code_of_the_endpoints_has_its_row() -> None:
    assert {*errors._CODES.values(), errors.SERVER_ERROR} - rows(ERRORS).keys() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []
    headings = {
        re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-")
        for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def test_the_events_to_choose_are_those_that_are_handled() -> None:
    page = (ROOT / "docs/going-live.md").read_text(encoding="utf-8")
    billing, mirror = (
        block.split() for block in re.findall(r"^```text\n([a-z._\n]+)^```", page, re.MULTILINE)
    )
    assert [name for name in billing if not handlers_for(name)] == []
    assert [name for name in mirror if handlers_for(name)] == []
    families = {name for name in registry._handlers if not any(fits(name, chosen) for chosen in billing)}
    assert families == set(), "handled, and nobody is told to choose them"
    kinds = {name.rpartition(".")[0] for name in mirror}
    assert kinds <= {*stripe_mirror.MODELS}


def fits(name: str, chosen: str) -> bool:
    return chosen.startswith(name[:-1]) if name.endswith(".*") else chosen == name


DESCRIPTION = ROOT.parent / "shared" / "stripe" / "openapi.json"


@pytest.mark.skipif(not DESCRIPTION.exists(), reason="Stripe's description of its API is not at hand.")
def test_stripe_knows_every_event_to_choose() -> None:
    page = (ROOT / "docs/going-live.md").read_text(encoding="utf-8")
    chosen = "".join(re.findall(r"^```text\n([a-z._\n]+)^```", page, re.MULTILINE)).split()
    text = DESCRIPTION.read_text(encoding="utf-8")
    assert [name for name in chosen if f'"{name}"' not in text] == []
