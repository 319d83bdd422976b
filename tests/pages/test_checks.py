"""System checks about the page; silent where it is not included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.test_checks import ids, messages, only

INCLUDED = pytest.mark.urls("tests.pages.urls")


@INCLUDED
def test_a_sound_host_is_silent(manifest: Path, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"BASE_TEMPLATE": "host.html"}
    assert messages() == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no-such.html", "TemplateDoesNotExist"),
        ("broken.html", "TemplateSyntaxError"),
        ("bare.html", "has no block `content`"),
    ],
)
def test_e008_base_template(name: str, problem: str, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"BASE_TEMPLATE": name}
    message = only("videoq_billing.E008")
    assert problem in message.msg
    assert repr(name) in message.msg


def test_e008_takes_a_block_of_the_template_that_is_extended(settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"BASE_TEMPLATE": "host_section.html"}
    assert messages() == []


def test_e008_a_template_of_another_engine(settings: Any, tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="The base install has no other engine.")
    (tmp_path / "jinja.html").write_text("{% block content %}{% endblock %}")
    jinja = {"BACKEND": "django.template.backends.jinja2.Jinja2", "DIRS": [tmp_path]}
    settings.TEMPLATES = [*settings.TEMPLATES, jinja]
    settings.VIDEOQ_BILLING = {"BASE_TEMPLATE": "jinja.html"}
    assert "no template of Django's engine" in only("videoq_billing.E008").msg


@pytest.mark.urls("tests.pages.urls_without_api")
def test_e009_endpoints(manifest: Path) -> None:
    assert 'include("django_videoq_billing.urls")' in only("videoq_billing.E009").msg
    assert ids() == ["videoq_billing.E009"]


@INCLUDED
def test_e010_built_files(manifest: Path) -> None:
    manifest.unlink()
    assert "scripts.frontend build" in only("videoq_billing.E010").msg


def test_a_host_without_the_page_needs_no_build(manifest: Path) -> None:
    manifest.unlink()
    assert messages() == []


@pytest.mark.django_db
@INCLUDED
def test_w001_is_silent_with_the_page(manifest: Path, settings: Any) -> None:
    settings.VIDEOQ_BILLING = {}
    assert "videoq_billing.W001" not in ids(deploy=True)


def test_e003_a_page_without_javascript_that_does_not_exist(settings: Any) -> None:
    settings.VIDEOQ_BILLING = {"NO_SCRIPT_URL": "no-such-page"}
    assert "NO_SCRIPT_URL" in only("videoq_billing.E003").msg
