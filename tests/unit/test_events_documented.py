"""The table of events in docs/library.md lists every event with all its fields."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from harvester import events

DOCUMENT = Path(__file__).parents[2] / "docs" / "library.md"
ROW = re.compile(r"^\| `([A-Z]\w+)` \| ([^|]*) \|([^|]*)\|$", re.MULTILINE)


def test_the_table_of_events_is_up_to_date() -> None:
    rows = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    documented = {name: set(re.findall(r"`(\w+)`", names)) for name, _, names in rows}
    expected = {
        one.__name__: {field.name for field in fields(one)} for one in get_args(events.Event)
    }
    assert documented == expected
    assert [name for name, _, _ in rows] == [one.__name__ for one in get_args(events.Event)]
    assert all(when.strip() for _, when, _ in rows)
