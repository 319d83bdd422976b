"""The settings of the workers that a test starts: the test's own, handed on as JSON."""

from __future__ import annotations

import json
import os

from tests.settings import *  # noqa: F403

VIDEOQ_BILLING = json.loads(os.environ["VIDEOQ_BILLING"])
