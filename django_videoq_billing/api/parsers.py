from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BodyParser(JSONParser):
    """JSON as its standard has it, whatever the host allows: UTF-8, no NaN, neither endlessly deep nor long."""

    strict = True

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        context = {**(parser_context or {}), "encoding": "utf-8"}  # a charset such as "zlib" would crash
        # Django's `body` keeps to DATA_UPLOAD_MAX_MEMORY_SIZE; the bare stream, which older releases of
        # REST framework read, does not.
        body = BytesIO(context["request"].body)
        try:
            return super().parse(body, media_type, context)
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
