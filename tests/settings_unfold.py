"""The suite's settings with django-unfold's admin in place of Django's own look."""

from tests import settings as plain
from tests.settings import *  # noqa: F403

INSTALLED_APPS = ["unfold", *plain.INSTALLED_APPS]
