"""What a later sweep found becomes part of the whole: all rows written anew, range after range."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harvester.model import schemas, uids
from harvester.model.identifiers import numbered, written
from harvester.model.outcomes import ANSWERED, Outcome
from harvester.store.parts import SLICES
from harvester.store.passes import estimate as agreement
from harvester.store.passes.merge_rows import unite
from harvester.store.passes.spill import ROWS, Slices
from harvester.store.state import MERGED, Settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from harvester.model.identifiers import Identifiers
    from harvester.model.uids import UidArray, UidSet
    from harvester.store.parts import Parts
    from harvester.store.state import Part, State


@dataclass(frozen=True, slots=True)
class Uniting:
    """A harvest's folder, for a sweep to be united with the ones before.

    Attributes:
        state: names the parts and the UIDs of each sweep.
        parts: reads and writes them.
        folder: of the harvest.
        dbfrom: for the rows of `uids`.
        schema: of the rows of `links`.
        identifiers: how UIDs are written.
    """

    state: State
    parts: Parts
    folder: Path
    dbfrom: str
    schema: pa.Schema
    identifiers: Identifiers

    def unite(self, sweep: int) -> None:
        """Make what a later sweep found part of the whole, in one transaction.

        All rows are written anew: the union of both readings, in ranges of UIDs.
        """
        fresh = [one for one in self.state.settled(sweep) if one.outcome != MERGED]
        if not fresh:
            return
        before = self.state.settled()
        first, again = (_answered(settled) for settled in (before, fresh))
        answered, both = first | again, first & again
        old = self.state.parts()
        linked = uids.as_set()
        new: list[Part] = []
        said = json.loads(self.state.get("agreement") or "{}")
        agreed = agreement.from_json(said.get(str(sweep), {}))
        bounds = _bounds(answered, sum(part.rows for part in old if part.kind != "uids"))
        tos = type(self.identifiers)()
        with Slices(self.folder / SLICES, bounds, schemas.NEIGHBOR_LINKS) as slices:
            for kind in ("links", "again"):
                read = self.parts.read(self.state.parts(kind), self.schema)
                slices.fill(kind, (numbered(table, self.identifiers, tos) for table in read))
            for number, asked in enumerate(_cut(answered, bounds)):
                table, found = unite(
                    slices.read("links", number),
                    slices.read("again", number),
                    uids.as_array(both & asked),
                )
                for name, one in found.items():
                    agreed[name] = agreed.get(name, agreement.Agreement()) + one
                rows = uids.as_array(asked)
                counts = uids.count(table["from_uid"].to_numpy(), rows)
                linked |= uids.as_set(rows[counts > 0])
                column = self.identifiers.column(rows)
                tables = {
                    "links": written(table, self.identifiers, tos),
                    "uids": schemas.answered_rows(self.dbfrom, column, counts),
                }
                new += [self.parts.write(kind, [t]) for kind, t in tables.items() if t.num_rows]
        settled = [Settled(Outcome.LINKED, linked), Settled(Outcome.EMPTY, answered - linked)]
        settled += _still_unanswered([*before, *fresh], answered)
        said[str(sweep)] = agreement.to_json(agreed)
        self.state.replace_all(
            old_parts=old,
            new_parts=new,
            settled=settled,
            merged_pass=sweep,
            meta={"agreement": json.dumps(said)},
        )
        self.parts.delete(old)


def _answered(settled: Sequence[Settled]) -> UidSet:
    return uids.union(one.uids for one in settled if one.outcome in ANSWERED)


def _still_unanswered(settled: Sequence[Settled], answered: UidSet) -> list[Settled]:
    """Those never answered, each with the first of its outcomes and reasons."""
    taken = answered.copy()
    left = []
    for one in settled:
        if one.outcome in (Outcome.MISSING, Outcome.FAILED) and (rest := one.uids - taken):
            left.append(Settled(one.outcome, rest, one.reason))
            taken |= rest
    return left


def _bounds(answered: UidSet, rows: int) -> UidArray:
    """The lowest UID of each range but the first, so that each has about `ROWS` rows."""
    count = min(-(-rows // ROWS), len(answered)) or 1
    return np.array([answered[len(answered) * i // count] for i in range(1, count)], np.int64)


def _cut(answered: UidSet, bounds: UidArray) -> Iterator[UidSet]:
    """The UIDs of each range."""
    places = [0, *(answered.rank(bound) - 1 for bound in bounds.tolist()), len(answered)]
    for start, end in itertools.pairwise(places):
        yield answered[start:end]
