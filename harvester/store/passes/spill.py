"""Sort the rows of many parts by from_uid into temporary files that each fit in memory."""

from __future__ import annotations

import itertools
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Self

    from harvester.model.uids import UidArray, UidSet

ROWS = 8 << 20
"""Rows per range. Merging a range takes about 1 GB of memory."""


_MOST_RANGES = 500
"""Maximum ranges of a spill. Each is an open file while rows are written; systems permit 1,024."""


def range_bounds(members: UidSet, rows: int, most: int) -> UidArray:
    """Return the lowest UID of each range but the first.

    Args:
        members: the UIDs, of which each range has about as many.
        rows: rows of all of them.
        most: about how many rows a range should have, unless there would be too many ranges.
    """
    count = min(-(-rows // most), len(members), _MOST_RANGES) or 1
    return np.array([members[len(members) * i // count] for i in range(1, count)], np.int64)


def cut(members: UidSet, bounds: UidArray) -> Iterator[UidSet]:
    """Yield the UIDs of each range."""
    places = [0, *(members.rank(bound) - 1 for bound in bounds.tolist()), len(members)]
    for start, end in itertools.pairwise(places):
        yield members[start:end]


class Spill:
    """Temporary files, one for each range of UIDs and kind of row.

    Args:
        folder: created on entry and removed on exit; a crash may lose its content.
        bounds: the lowest from_uid of each range but the first, ascending.
        schema: schema of the rows.
        codec: compression of the files, such as `lz4`; none by default.
    """

    def __init__(
        self, folder: Path, bounds: UidArray, schema: pa.Schema, codec: str | None = None
    ) -> None:
        self._folder = folder
        self._bounds = bounds
        self._schema = schema
        self._options = pa.ipc.IpcWriteOptions(compression=codec)

    def __enter__(self) -> Self:
        """Create the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def __len__(self) -> int:
        """Return the number of ranges."""
        return len(self._bounds) + 1

    def fill(self, kind: str, tables: Iterable[pa.Table]) -> None:
        """Write all rows of a kind, each to the file of its range."""
        with ExitStack() as opened:
            writers = [
                opened.enter_context(
                    pa.ipc.new_stream(self._path(kind, number), self._schema, options=self._options)
                )
                for number in range(len(self))
            ]
            for table in tables:
                numbers = np.searchsorted(self._bounds, table["from_uid"].to_numpy(), side="right")
                for number in np.unique(numbers).tolist():
                    rows = table.filter(pa.array(numbers == number))
                    writers[number].write_table(rows.unify_dictionaries())

    def read(self, kind: str, number: int) -> pa.Table:
        """Return the rows of a kind in one range."""
        with pa.ipc.open_stream(self._path(kind, number)) as reader:
            return reader.read_all()

    def _path(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number}.arrow"
