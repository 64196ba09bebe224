"""Write docs/schemas/events.schema.json: the lines of --log-json, from the classes of the events.

With --check, nothing is written; the exit code is 1 if the file is out of date.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from harvester import events

FILE = Path(__file__).parents[1] / "docs" / "schemas" / "events.schema.json"

ERROR = {
    "description": "Why the command ends.",
    "required": ["time", "event", "message", "exit_code"],
    "properties": {"message": {"type": "string"}, "exit_code": {"type": "integer"}},
}

NOTE = {
    "description": "What the command did.",
    "required": ["time", "event", "message"],
    "properties": {"message": {"type": "string"}},
}


def schema() -> dict[str, Any]:
    """Return the JSON schema of one line."""
    lines = [_of("Error", ERROR), _of("Note", NOTE)]
    lines += [_of(one.__name__, _shape(one)) for one in _classes()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of --log-json",
        "oneOf": lines,
    }


def _classes() -> tuple[type, ...]:
    return get_args(events.Event)


def _shape(event: type) -> dict[str, Any]:
    hints = get_type_hints(event)
    names = [one.name for one in fields(event)]
    return {
        "description": (event.__doc__ or "").split("\n")[0],
        "required": ["time", "event", *names],
        "properties": {
            name: TypeAdapter(hints[name]).json_schema(mode="serialization") for name in names
        },
    }


def _of(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    common = {"time": {"type": "string", "format": "date-time"}, "event": {"const": name}}
    return {
        "title": name,
        "description": shape["description"],
        "type": "object",
        "required": shape["required"],
        "properties": common | shape["properties"],
        "additionalProperties": False,
    }


def main() -> None:
    """Write the file, or with --check compare it."""
    text = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        sys.exit(f"{FILE} is out of date; run `make docs` or python scripts/schemas.py")


if __name__ == "__main__":
    main()
