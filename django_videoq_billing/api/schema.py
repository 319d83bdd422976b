"""The endpoints' OpenAPI document, where drf-spectacular is installed; without it these do nothing."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

from rest_framework.serializers import Serializer

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_INSTALLED = find_spec("drf_spectacular") is not None


def documented(
    request: type[Serializer[Any]] | None = None,
    query: type[Serializer[Any]] | None = None,
    **responses: Any,
) -> Callable[[Decorated], Decorated]:
    """Say what a view takes and answers: `documented(_200=PlanSerializer, _404=ErrorSerializer)`."""
    if not _INSTALLED:
        return lambda view: view
    from drf_spectacular.utils import extend_schema

    by_status = {int(name.removeprefix("_")): answer for name, answer in responses.items()}
    return extend_schema(request=request, parameters=[query] if query else None, responses=by_status)


def typed(field: Any) -> Callable[[Decorated], Decorated]:
    """Say what a serializer's method returns."""
    if not _INSTALLED:
        return lambda method: method
    from drf_spectacular.utils import extend_schema_field

    return extend_schema_field(field)
