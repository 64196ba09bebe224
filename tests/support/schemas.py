"""The published JSON schemas, to validate what the program writes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the schema in `docs/schemas/NAME.schema.json`."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return found


@cache
def _judge(name: str) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    return jsonschema.Draft202012Validator(schema(name))


def assert_follows(name: str, value: object) -> None:
    """Assert that a value follows the schema."""
    _judge(name).validate(value)


def assert_status(value: dict[str, Any]) -> None:
    """Assert that a value is a status as published, without other keys."""
    assert_follows("status", value)
    known = schema("status")["$defs"]["harvest"]["properties"].keys()
    for one in (value, *value.get("hops", ())):
        assert one.keys() <= known
