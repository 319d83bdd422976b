"""What keeps a host's tests from testing: never a failure of the host's own code."""

from __future__ import annotations


class SandboxError(Exception):
    """The kit cannot do what a test asks of it. The message says why, and what to do."""
