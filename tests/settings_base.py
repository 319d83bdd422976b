"""The test settings for the base install, or for one extra alone: no example site (tox envs "base" and "only-...")."""

from __future__ import annotations

from importlib.util import find_spec

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as _APPS
from tests.settings import REST_FRAMEWORK as _REST

INSTALLED_APPS = [app for app in _APPS if app != "example_project.videos"]
REST_FRAMEWORK = _REST
if find_spec("drf_spectacular") is None:
    INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "drf_spectacular"]
    REST_FRAMEWORK = {name: value for name, value in _REST.items() if name != "DEFAULT_SCHEMA_CLASS"}
