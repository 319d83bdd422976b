"""Log records for machines: https://docs.python.org/3/library/logging.html#logrecord-attributes"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime"}
_PLAIN = (str, int, float, bool, type(None))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, and the extras that are plain values or lists of them.

    An extra of another kind, such as Django's `request`, is left out: what it would print is not known.
    """

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        extras = {
            name: value for name, value in vars(record).items() if name not in _USUAL and _is_plain(value)
        }
        if record.exc_info:
            extras["exception"] = self.formatException(record.exc_info)
        return json.dumps({**told, **extras, **told}, ensure_ascii=False)


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(item, _PLAIN) for item in value)
    return isinstance(value, _PLAIN)
