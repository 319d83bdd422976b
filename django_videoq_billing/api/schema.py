"""The endpoints' OpenAPI document, where drf-spectacular is installed; without it these do nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, TypeVar

from rest_framework.serializers import Serializer

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Body = Serializer[Any] | type[Serializer[Any]] | Mapping[str, Any]

_INSTALLED = find_spec("drf_spectacular") is not None


@dataclass(frozen=True, slots=True)
class Refusals:
    """What an endpoint may answer instead of its success: the codes of each status, in words for a reader.

    `body` is the shape of all of them; a status in `others` may answer in a shape of its own as well.
    """

    body: type[Serializer[Any]]
    codes: Mapping[int, str]
    others: Mapping[int, type[Serializer[Any]]] = field(default_factory=dict)


def documented(
    operation_id: str,
    answer: Body,
    refusals: Refusals,
    *,
    request: Body | None = None,
    query: type[Serializer[Any]] | None = None,
    also: Mapping[int, Body] | None = None,
) -> Callable[[Decorated], Decorated]:
    """Say what a view takes and answers; `also` are answers of other statuses that are no refusals."""
    if not _INSTALLED:
        return lambda view: view
    from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

    answers = {
        status: OpenApiResponse(_shape(refusals, status, operation_id), description=codes)
        for status, codes in refusals.codes.items()
    }
    waits = [status for status in (429, 503) if status in answers]
    wait = OpenApiParameter(
        "Retry-After", int, OpenApiParameter.HEADER, description="Seconds to wait.", response=waits
    )
    return extend_schema(
        operation_id=operation_id,
        tags=["billing"],
        request=request,
        parameters=[*([query] if query else []), *([wait] if waits else [])],
        responses={200: answer, **(also or {}), **answers},
    )


def _shape(refusals: Refusals, status: int, operation_id: str) -> Any:
    if status not in refusals.others:
        return refusals.body
    from drf_spectacular.utils import PolymorphicProxySerializer

    return PolymorphicProxySerializer(
        component_name="".join(word.title() for word in f"{operation_id}_{status}".split("_")),
        serializers=[refusals.others[status], refusals.body],
        resource_type_field_name=None,
    )


def typed(annotation: Any) -> Callable[[Decorated], Decorated]:
    """Say what a serializer's method returns, or what a field class takes."""
    if not _INSTALLED:
        return lambda decorated: decorated
    from drf_spectacular.utils import extend_schema_field

    return extend_schema_field(annotation)
