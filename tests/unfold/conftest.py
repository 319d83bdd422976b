"""A run of its own: `pytest --ds tests.settings_unfold tests/unfold`. Unfold changes the admin of the whole process."""

from django.conf import settings

from tests.admin.conftest import rows

__all__ = ["rows"]

collect_ignore_glob = [] if "unfold" in settings.INSTALLED_APPS else ["test_*.py"]
