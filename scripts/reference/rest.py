"""docs/rest-api.md: the endpoints, from the OpenAPI document that is kept beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from scripts.reference.text import join, table

SOURCE = Path(__file__).parent.parent.parent / "docs/openapi.yaml"
Node = dict[str, Any]

INTRO = """# REST endpoints

Under the prefix of your `include`; here it is `api/`. Paths have no slash at the end, bodies are JSON, moments ISO 8601 in UTC, money
an integer in the currency's minor unit. The user is whom your own REST framework authentication knows. A refusal is an
[error body](errors.md). This page is written from [openapi.yaml](openapi.yaml), which generates clients in other languages."""


def page() -> str:
    document: Node = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    endpoints = [
        _endpoint(method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    objects = [_object(name, schema) for name, schema in document["components"]["schemas"].items()]
    return join([INTRO, *endpoints, "## Objects", *objects])


def _endpoint(method: str, path: str, operation: Node) -> str:
    parameters = [
        [f"`{each['name']}`", _kind(each["schema"]), "yes" if each.get("required") else "no", _about(each)]
        for each in operation.get("parameters", [])
    ]
    body = [_schema_of(operation["requestBody"])] if "requestBody" in operation else []
    return join(
        [
            f"## {method} {path}",
            operation["description"],
            "For anybody." if {} in operation["security"] else "For the signed-in user.",
            table(["in the query", "kind", "required", "what it is"], parameters),
            *(f"Body: {kind}" for kind in body),
            table(
                ["status", "answer"],
                [[code, _answer(given)] for code, given in operation["responses"].items()],
            ),
        ]
    ).rstrip("\n")


def _answer(response: Node) -> str:
    kind = _schema_of(response)
    text = response.get("description", "")
    return f"{kind}: {text}" if kind and text else kind or text


def _schema_of(container: Node) -> str:
    content = container.get("content", {}).get("application/json")
    return _kind(content["schema"]) if content else ""


def _object(name: str, schema: Node) -> str:
    if "enum" in schema:
        return f"### {name}\n\nOne of {', '.join(f'`{value}`' for value in schema['enum'])}."
    if "oneOf" in schema:
        return f"### {name}\n\n{' or '.join(map(_kind, schema['oneOf']))}."
    required = set(schema.get("required", []))
    rows = [
        [f"`{field}`", _kind(given), "yes" if field in required else "no", _about(given)]
        for field, given in schema.get("properties", {}).items()
    ]
    return join(
        [
            f"### {name}",
            schema.get("description", ""),
            table(["field", "kind", "always there", "what it is"], rows),
        ]
    )


def _kind(schema: Node) -> str:
    parts = list(_parts(schema))
    return ", ".join([*parts, "or null"] if schema.get("nullable") else parts)


def _parts(schema: Node) -> Iterator[str]:
    if reference := schema.get("$ref") or (schema.get("allOf") or [{}])[0].get("$ref"):
        name = str(reference).rpartition("/")[2]
        yield f"[{name}](#{name.lower()})"
    elif schema.get("type") == "array":
        yield f"list of {_kind(schema['items'])}"
    else:
        yield {"date-time": "moment", "uri": "address"}.get(
            schema.get("format", ""), schema.get("type", "anything")
        )
    if values := schema.get("enum"):
        yield "one of " + " ".join(f"`{value}`" for value in values)
    bounds = [schema.get("minimum"), schema.get("maximum")]
    if bounds != [None, None]:
        yield " ".join(
            f"{word} {bound}" for word, bound in zip(("from", "to"), bounds, strict=True) if bound is not None
        )


def _about(given: Node) -> str:
    return str(given.get("description", "")).rstrip(".")
