"""From a list of UIDs as text to the set that is harvested.

Measures reading, parsing, sorting and removing duplicates; not the disk: the file was read before.
The floor is Arrow's CSV reader alone, which keeps duplicates.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from benchmarks.measure import Row, nanoseconds
from harvester.model import uids
from harvester.sources.text import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.model.uids import UidSet

UIDS = 2_000_000


def rows() -> Iterator[Row]:
    drawn = np.random.default_rng(0).permutation(40_000_000)[:UIDS] + 1
    orders = {"ascending": np.sort(drawn), "in any order": drawn}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "ids.txt"
        for name, members in orders.items():
            options = pacsv.WriteOptions(include_header=False)
            pacsv.write_csv(pa.table({"uid": members}), path, options)
            floor = nanoseconds(lambda: _alone(path), UIDS, repeats=3)
            assert len(_loaded(path)) == UIDS
            yield Row(
                name, nanoseconds(lambda: _loaded(path), UIDS, repeats=3), "ns per UID", floor
            )


def _alone(path: Path) -> None:
    options = pacsv.ReadOptions(column_names=["uid"], use_threads=False)
    assert pacsv.read_csv(path, read_options=options).num_rows == UIDS


def _loaded(path: Path) -> UidSet:
    """Load the file as `harvester.sources.from_job` does."""
    found = uids.as_set()
    for block in read_lines(str(path), "pubmed"):
        found |= uids.as_set(np.sort(block))
    return found
