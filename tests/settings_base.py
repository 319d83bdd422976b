"""The test settings for the base install: no optional extra, no example site (tox env "base")."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as _APPS
from tests.settings import REST_FRAMEWORK as _REST

INSTALLED_APPS = [app for app in _APPS if app not in ("drf_spectacular", "example_project.videos")]
REST_FRAMEWORK = {name: value for name, value in _REST.items() if name != "DEFAULT_SCHEMA_CLASS"}
