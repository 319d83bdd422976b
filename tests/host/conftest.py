"""The project beside this file is a host's own: it is copied, and run with the wheel that a host installs."""

from __future__ import annotations

collect_ignore = ["project"]
