"""Counts per linkname as lines of text."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from harvester.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOMY = 12
"""Width of a column where there is room."""


def counts_table(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]]) -> list[str]:
    """Return a line of heads and one per row; for a narrow terminal the columns move closer.

    Args:
        heads: of the columns of numbers.
        rows: names, which may come from NCBI, and their numbers.
    """
    names = [printable(name) for name, _ in rows]
    numbers = [[f"{number:,}" for number in row] for _, row in rows]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    whole = [list(heads)]
    stacked = [list(words) for words in zip(*(head.split() for head in heads), strict=True)]
    for above, least in ((whole, _ROOMY), (whole, 0), (stacked, 0)):
        lines = _aligned([""] * len(above) + names, [*above, *numbers], least)
        if len(lines[0]) <= room:
            break
    return lines


def _aligned(names: list[str], cells: list[list[str]], least: int) -> list[str]:
    wide = max(map(len, names))
    widths = [max(least, 2 + max(map(len, column))) for column in zip(*cells, strict=True)]
    return [
        f"{name:{wide}}" + "".join(map(str.rjust, row, widths))
        for name, row in zip(names, cells, strict=True)
    ]
