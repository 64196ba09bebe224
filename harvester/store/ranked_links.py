"""Links as `ranking` reads them: targets and databases as numbers, and runs of equal inputs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import FolderError, nearest, printable
from harvester.model.outcomes import Outcome
from harvester.store.counted import counted
from harvester.store.link_counts import name_codes, read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harvester import events
    from harvester.model.uids import UidArray
    from harvester.store.reader import HarvestReader


@dataclass(frozen=True, slots=True)
class LinkBatch:
    """Some links, column by column.

    Attributes:
        numbers: UIDs of the targets; of accessions, numbers that stand for them in this process.
        databases: names of databases.
        codes: for each link, place of its database in `databases`.
        texts: accessions of the targets; None for UIDs.
        runs: number of the run of neighbours with the same from_uid; None if it was not read.
    """

    numbers: UidArray
    databases: list[str]
    codes: NDArray[np.int32]
    texts: pa.Array | None
    runs: UidArray | None


class RankedLinks:
    """The links that are ranked, read as often as they are needed.

    Args:
        harvests: the harvests.
        dbto, linkname: only these; None for all.
        emit: receives the progress of each reading.

    Attributes:
        families: database → linknames and harvests of the links read so far.
        is_text: whether UIDs are accessions.
    """

    def __init__(
        self,
        harvests: Sequence[HarvestReader],
        dbto: str | None,
        linkname: str | None,
        emit: events.Listener,
    ) -> None:
        self._harvests = harvests
        self._emit = emit
        self._dbto, self._linkname = dbto, linkname
        self._is_first = True
        self._seen: dict[str, set[str]] = {"dbto": set(), "linkname": set()}
        self.families: dict[str, set[tuple[int, str]]] = defaultdict(set)
        self.is_text = pa.types.is_string(harvests[0].schema.field("to_uid").type)
        self.count = sum(one.link_count for one in harvests)

    def read(self, *, runs: bool) -> Iterator[LinkBatch]:
        """Yield the links; with `runs`, those of different inputs have different run numbers.

        Raises:
            FolderError: the links of an input are not neighbours, which they are as written.
        """
        columns = ["dbto", "linkname", "to_uid", *(["from_uid"] if runs else [])]
        last = -1
        for place, harvest in enumerate(self._harvests):
            counter = _Runs(last)
            tables = read_ahead(harvest.links(*columns))
            for table in counted(tables, harvest.link_count, self._emit):
                for batch in table.to_batches():
                    numbered = counter.number(batch.column("from_uid")) if runs else None
                    if (found := self._chosen(batch, place, numbered)) is not None:
                        yield found
            if runs and counter.last - last != harvest.outcomes.get(Outcome.LINKED, 0):
                raise FolderError(
                    f"{harvest.folder} has links of a UID in several places. Run `harvester verify "
                    f"{harvest.folder}`, or harvest into another folder."
                )
            last = counter.last
        self._is_first = False

    def none_of(self) -> str:
        """Return the error message for a database or linkname without links."""
        for name, wanted in (("linkname", self._linkname), ("dbto", self._dbto)):
            if wanted is not None and wanted not in self._seen[name]:
                seen = sorted(self._seen[name])
                hint = nearest(wanted, seen) or (f"; there are {', '.join(seen)}" if seen else "")
                what = "linkname" if name == "linkname" else "target database"
                folders = ", ".join(str(one.folder) for one in self._harvests)
                return f"No link in {folders} has the {what} '{printable(wanted)}'{hint}."
        return f"No link of {self._linkname} leads to {self._dbto}."

    def _chosen(self, batch: pa.RecordBatch, place: int, runs: UidArray | None) -> LinkBatch | None:
        names, linknames = name_codes(batch, "linkname")
        codes, databases = name_codes(batch, "dbto")
        self._seen["linkname"].update(linknames)
        self._seen["dbto"].update(databases)
        uids = batch.column("to_uid")
        if self._dbto is not None or self._linkname is not None:
            right = [
                np.array([wanted in (None, name) for name in known] or [False])
                for known, wanted in ((databases, self._dbto), (linknames, self._linkname))
            ]
            mine = right[0][codes] & right[1][names]
            if not mine.any():
                return None
            uids, codes, names = uids.filter(pa.array(mine)), codes[mine], names[mine]
            runs = None if runs is None else runs[mine]
        if self._is_first:
            pairs = names if len(databases) == 1 else codes * np.int32(len(linknames)) + names
            for pair in np.flatnonzero(np.bincount(pairs)).tolist():
                database, name = divmod(pair, len(linknames))
                self.families[databases[database]].add((place, linknames[name]))
        texts = uids if self.is_text else None
        numbers = uids.to_numpy() if texts is None else _hashes(texts, codes, databases)
        return LinkBatch(numbers, databases, codes, texts, runs)


class _Runs:
    """Numbers runs of neighbours with equal UIDs, over any number of columns.

    Args:
        last: number before that of the first run.

    Attributes:
        last: number of the last run.
    """

    def __init__(self, last: int) -> None:
        self.last = last
        self._uid: int | str | None = None

    def number(self, column: pa.Array) -> UidArray:
        """Return the number of the run of each UID in the next column."""
        if not len(column):
            return np.zeros(0, np.int64)
        uids = column.dictionary_encode().indices if pa.types.is_string(column.type) else column
        values = uids.to_numpy()
        first, end = column[0].as_py(), column[-1].as_py()
        starts = np.empty(len(values), np.bool_)
        starts[0] = first != self._uid
        np.not_equal(values[1:], values[:-1], out=starts[1:])
        found = np.cumsum(starts, dtype=np.int64)
        found += self.last
        self.last, self._uid = int(found[-1]), end
        return found


def _hashes(texts: pa.Array, codes: NDArray[np.int32], databases: list[str]) -> UidArray:
    """Return a number for each accession in its database, the same all through this process."""
    encoded = texts.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    places = encoded.indices.to_numpy().astype(np.int64) * len(databases) + codes
    pairs, inverse = np.unique(places, return_inverse=True)
    numbers = [
        hash((names[pair // len(databases)], databases[pair % len(databases)]))
        for pair in pairs.tolist()
    ]
    return np.array(numbers, np.int64)[inverse]
