"""Checks JSON against Stripe's published API description, more strictly than it asks: no field that it lacks."""

from __future__ import annotations

import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = Path(os.environ.get("STRIPE_OPENAPI", ROOT.parent / "shared" / "stripe" / "openapi.json"))
MISSING = f"Stripe's API description is absent (expected at {DESCRIPTION}, or name it in STRIPE_OPENAPI)."


def closed(schema: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: `nullable` becomes a type, objects take no further properties."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        key: closed(value) for key, value in schema.items() if key not in {"nullable", "x-expansionResources"}
    }
    if isinstance(result.get("properties"), dict) and "type" in result:
        result.setdefault("additionalProperties", False)
    if "$ref" in result:
        result["$ref"] = result["$ref"].replace("#/components/schemas/", "urn:stripe#/$defs/")
    return or_null(result) if schema.get("nullable") else result


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return {**schema, "type": [schema["type"], "null"], **enum}
    return {"anyOf": [{"type": "null"}, schema]}


class Shapes:
    def __init__(self) -> None:
        self.validators: dict[str, Draft202012Validator] = {}

    @cached_property
    def description(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(DESCRIPTION.read_text())
        return loaded

    @cached_property
    def registry(self) -> Registry[Any]:
        schemas = self.description["components"]["schemas"]
        document = {"$defs": {name: closed(schema) for name, schema in schemas.items()}}
        resource: Resource[Any] = DRAFT202012.create_resource(document)
        empty: Registry[Any] = Registry()
        registry: Registry[Any] = empty.with_resource("urn:stripe", resource).crawl()
        return registry

    @cached_property
    def kinds(self) -> dict[str, str]:
        """`object` values to schema names."""
        result = {}
        for name, schema in self.description["components"]["schemas"].items():
            values = schema.get("properties", {}).get("object", {}).get("enum", [])
            if values and not name.startswith("deleted_"):
                result[values[0]] = name
        return result

    @cached_property
    def templates(self) -> list[tuple[re.Pattern[str], str]]:
        """Path patterns, literal ones before those with parameters."""
        paths = sorted(self.description["paths"], key=lambda path: path.count("{"))
        return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), path) for path in paths]

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, template in self.templates:
            if pattern.match(path):
                found: dict[str, Any] | None = self.description["paths"][template].get(method.lower())
                return found
        return None

    def complaint(self, schema: dict[str, Any], value: Any) -> str | None:
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            self.validators[key] = Draft202012Validator(closed(schema), registry=self.registry)
        if self.validators[key].is_valid(value):
            return None
        error = best_match(self.validators[key].iter_errors(value))
        if error is None:
            return None
        return f"{'.'.join(map(str, error.absolute_path))}: {error.message[:400]}"

    def check_response(self, method: str, path: str, status: int, body: Any) -> str | None:
        operation = self.operation(method, path)
        if operation is None:
            return None if status == 404 else f"{method} {path} is not Stripe's"
        responses = operation["responses"]
        schema = responses["200" if status == 200 else "default"]["content"]["application/json"]["schema"]
        complaint = self.complaint(schema, body)
        return complaint and f"{method} {path} {status}: {complaint}"

    def check_event(self, event: dict[str, Any]) -> str | None:
        shown = event["data"]["object"]
        name = self.kinds[shown["object"]]
        complaint = self.complaint({"$ref": f"#/components/schemas/{name}"}, shown)
        return complaint and f"{event['type']}: {complaint}"


SHAPES = Shapes()
