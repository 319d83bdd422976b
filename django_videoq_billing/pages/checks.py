"""System checks for hosts that have included the billing page, or have given it a base template."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import Template
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode

from django_videoq_billing.conf import get_settings
from django_videoq_billing.http import billing_page
from django_videoq_billing.pages.assets import page_assets
from django_videoq_billing.pages.embedding import api_root

Found = list[checks.CheckMessage]


def register() -> None:
    for check in (base_template, endpoints, built_files):
        checks.register(check, "videoq_billing")


def base_template(app_configs: Any, **kwargs: Any) -> Found:
    name = get_settings().BASE_TEMPLATE
    try:
        if not name or "content" in _blocks(name):
            return []
        problem = "has no block `content`: the page would be empty"
    except (TemplateDoesNotExist, TemplateSyntaxError) as error:
        problem = f"cannot be used: {type(error).__name__}: {error}"
    return [
        checks.Error(
            f"VIDEOQ_BILLING['BASE_TEMPLATE'] is {name!r}, which {problem}.",
            hint="Name a template of yours with {% block content %}; for other names embed {% billing_page %}.",
            id="videoq_billing.E008",
        )
    ]


def _blocks(name: str) -> set[str]:
    """Return the names of all blocks of a template and of those it extends by a fixed name."""
    template: Any = getattr(get_template(name), "template", None)
    if not isinstance(template, Template):  # of another engine, which cannot be extended from Django's
        raise TemplateSyntaxError("it is no template of Django's engine")
    nodes: Any = template.nodelist
    names = {block.name for block in nodes.get_nodes_by_type(BlockNode)}
    for extending in nodes.get_nodes_by_type(ExtendsNode):
        parent = extending.parent_name.var
        names |= _blocks(parent) if isinstance(parent, str) else set()
    return names


def endpoints(app_configs: Any, **kwargs: Any) -> Found:
    return _told_by(
        api_root,
        hint="Include django_videoq_billing.urls as well; the page speaks to them alone.",
        id="videoq_billing.E009",
    )


def built_files(app_configs: Any, **kwargs: Any) -> Found:
    return _told_by(
        page_assets,
        hint="Install the package from its wheel, or build the front end.",
        id="videoq_billing.E010",
    )


def _told_by(needed: Any, **told: str) -> Found:
    """Ask for what the page needs, where there is a page."""
    if not billing_page():
        return []
    try:
        needed()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), **told)]
    return []
