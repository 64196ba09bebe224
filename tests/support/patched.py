"""Run the command with constants of the program changed: `patched.py MODULE.NAME=JSON … -- ARGS`.

A constant that does not exist is an error, so that no test passes without its patch.
`clock=ISO` sets the wall clock for NCBI's hours. `clock=FILE` sets it to the content of a file, and
again whenever the content changes.
"""

from __future__ import annotations

import importlib
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _set(name: str, value: object) -> None:
    module_name, _, attribute = name.rpartition(".")
    module = importlib.import_module(module_name)
    if not hasattr(module, attribute):
        raise SystemExit(f"{name} does not exist")
    setattr(module, attribute, value)


def _set_clock(start: str) -> None:
    """Let the clock of `Hours` start at `start` when it is first read."""
    from harvester.engine import off_peak as hours

    begun: dict[str, datetime] = {}

    def clock() -> datetime:
        now = real()
        told = Path(start).read_text() if Path(start).is_file() else start
        return datetime.fromisoformat(told) + (now - begun.setdefault(told, now))

    real = hours.utc_now
    hours.utc_now = clock
    # A default argument is bound when the function is made.
    made = hours.Hours.of.__func__  # type: ignore[attr-defined]
    made.__defaults__ = tuple(clock if value is real else value for value in made.__defaults__)


def apply(patches: Mapping[str, object]) -> None:
    """Set constants of the program, and the wall clock if `clock` is among them."""
    for name, value in patches.items():
        if name == "clock":
            _set_clock(str(value))
        else:
            _set(name, value)


def change(changes: Iterable[str]) -> None:
    """Apply patches written as NAME=JSON."""
    pairs = (one.partition("=") for one in changes)
    apply({name: json.loads(value) for name, _, value in pairs})


def main() -> None:
    """Change what the arguments before `--` say, then run the command with those after it."""
    end = sys.argv.index("--")
    change(sys.argv[1:end])
    sys.argv[1:] = sys.argv[end + 1 :]
    from harvester.cli import main as run

    run()


if __name__ == "__main__":
    main()
