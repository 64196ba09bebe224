"""Rows of many parts, sorted into slices by their from_uid, each small enough for the memory."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Self

    from harvester.model.uids import UidArray

ROWS = 8 << 20
"""Of a slice: with what is done to them, about a gigabyte."""


class Slices:
    """Temporary files, one for each range of UIDs and kind of row.

    Args:
        folder: made, and removed in the end; its content need not survive anything.
        bounds: the lowest from_uid of each slice but the first, ascending.
        schema: of the rows.
    """

    def __init__(self, folder: Path, bounds: UidArray, schema: pa.Schema) -> None:
        self._folder = folder
        self._bounds = bounds
        self._schema = schema

    def __enter__(self) -> Self:
        """Make the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def __len__(self) -> int:
        """How many slices."""
        return len(self._bounds) + 1

    def fill(self, kind: str, tables: Iterable[pa.Table]) -> None:
        """Sort all rows of a kind into the slices."""
        with ExitStack() as opened:
            writers = [
                opened.enter_context(pa.ipc.new_stream(self._path(kind, number), self._schema))
                for number in range(len(self))
            ]
            for table in tables:
                numbers = np.searchsorted(self._bounds, table["from_uid"].to_numpy(), side="right")
                for number in np.unique(numbers).tolist():
                    rows = table.filter(pa.array(numbers == number))
                    writers[number].write_table(rows.unify_dictionaries())

    def read(self, kind: str, number: int) -> pa.Table:
        """The rows of a slice."""
        with pa.ipc.open_stream(self._path(kind, number)) as reader:
            return reader.read_all()

    def _path(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number}.arrow"
