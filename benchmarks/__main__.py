"""Measure costs: `python -m benchmarks [NAME]...` prints the figures of each, or of all.

With `--write` they are also written to `results/`, one table per benchmark, and a plot.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.measure import Row

ALL = (
    "decode",
    "sinks",
    "commits",
    "loading",
    "engine",
    "floors",
    "end_to_end",
    "starting",
    "night",
    "slow_servers",
    "top",
    "peers",
)
RESULTS = Path(__file__).with_name("results")
_VERSIONS = ("aiohttp", "msgspec", "numpy", "orjson", "pyarrow", "uvloop")


def main() -> None:
    write = "--write" in sys.argv
    for name in [name for name in sys.argv[1:] if name != "--write"] or ALL:
        module = import_module(f"benchmarks.{name}")
        about = (module.__doc__ or name).strip()
        print(f"\n{name}: {about.splitlines()[0]}", flush=True)
        rows = list(_shown(_drawn() if write and name == "peers" else module.rows()))
        if write and rows:
            text = f"# {name}\n\n{about}\n\n{table(rows)}\n\n{made_by(name)}\n"
            (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")


def _shown(rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        print(row, flush=True)
        yield row


def _drawn() -> Iterator[Row]:
    """Yield the rows of `peers`, then draw their plot."""
    from benchmarks.plot import draw  # noqa: PLC0415 - figures alone need no matplotlib

    python = peers.interpreter()
    figures = list(peers.figures(peers.entries(python))) if python else []
    yield from (figure.row() for figure in figures)
    if figures:
        draw(figures, RESULTS / "peers.svg")


def made_by(name: str) -> str:
    """Return the machine, versions and command of the figures."""
    versions = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    return (
        f"`python -m benchmarks {name}` measures them. These figures are from {os.cpu_count()} "
        f"cores, {platform.machine()}, Python {platform.python_version()}, {versions}. "
        "Absolute figures differ between machines: compare ratios."
    )


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    floors = any(row.floor for row in rows)
    lines = ["| | |" + (" to the floor |" if floors else "")]
    lines.append("| --- | --: |" + (" --: |" if floors else ""))
    for row in rows:
        note = f" ({row.note})" if row.note else ""
        cells = [row.what, f"{row.figure} {row.unit}{note}" if row.figure else row.note]
        if floors:
            cells.append(f"{row.value / row.floor:.1f} ×" if row.floor else "")
        lines.append(f"| {' | '.join(cell.strip() for cell in cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
