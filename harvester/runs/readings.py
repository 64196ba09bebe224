"""The rows of a refresh: old answers, the first reading, and the second reading of some UIDs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.eutils.elink.commands import COMMANDS
from harvester.job.cmds import CMDS
from harvester.model import schemas, uids
from harvester.model.identifiers import Uids, numbered, written
from harvester.runs.compare import Split, rows_of
from harvester.store.parts import SPILLED
from harvester.store.passes.merge_rows import merge_tables
from harvester.store.passes.spill import Spill, cut, range_bounds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harvester.model.uids import UidArray, UidSet
    from harvester.store.ledger import Ledger
    from harvester.store.state_reader import Part

ROWS = 1 << 18
"""Number of rows of one reading that are merged at a time, with about 150 MB of memory."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The new answers of some UIDs, written to files.

    Attributes:
        parts: their rows of `links` and `uids`.
        linked: the UIDs that have links.
        added: links that the old answers lack.
        removed: links of the old answers that the new ones lack.
    """

    parts: Sequence[Part]
    linked: UidSet
    added: int
    removed: int


class Readings:
    """Reads the rows of a refresh from a folder, and writes the result.

    Args:
        ledger: the harvest's folder.
        cmd: the cmd of ELink.
    """

    def __init__(self, ledger: Ledger, cmd: str) -> None:
        self._ledger = ledger
        self._cmd = cmd
        self._unites = CMDS[cmd].leads_to_records
        self._identifiers = ledger.input.identifiers
        self._tos = type(self._identifiers)() if self._unites else Uids()

    def with_losses(self, members: UidSet) -> UidSet:
        """Return those UIDs whose first reading lacks a row of the old answer."""
        found = uids.as_set()
        for _, (old, first) in self._ranges(members, "links", "refreshed"):
            removed = Split.of(old, first, self._cmd).removed
            found |= uids.as_set(np.unique(removed["from_uid"].to_numpy()))
        return found

    def merged(self, members: UidSet) -> Iterator[Piece]:
        """Write the new answers of UIDs, range by range."""
        parts, identifiers = self._ledger.parts, self._identifiers
        for mine, (old, first, second) in self._ranges(members, "links", "refreshed", "confirmed"):
            table = self._joined(old, first, second)
            split = Split.of(old, table, self._cmd)
            asked = uids.as_array(mine)
            counts = uids.count(np.sort(self._linked(table)), asked)
            tables = {
                "links": written(table, identifiers, self._tos),
                "uids": schemas.answered_rows(
                    self._ledger.dbfrom, identifiers.column(asked), counts
                ),
            }
            yield Piece(
                [parts.write(kind, [rows]) for kind, rows in tables.items() if len(rows)],
                uids.as_set(asked[counts > 0]),
                len(split.added),
                len(split.removed),
            )

    def touched(self, kind: str, members: UidSet) -> list[Part]:
        """Return the parts of a kind that hold rows of some UIDs; only these are read whole."""
        schema = pa.schema([pa.field("from_uid", self._identifiers.type)])
        return [
            part
            for part in self._ledger.state.parts(kind)
            if any(
                uids.as_set(np.unique(self._identifiers.numbers(table["from_uid"]))) & members
                for table in self._ledger.parts.read([part], schema)
            )
        ]

    def rest(self, parts: Sequence[Part], members: UidSet) -> Iterator[Part]:
        """Rewrite the rows of all other UIDs in parts of `links` and `uids`."""
        of_uids = schemas.with_ids(schemas.UIDS, self._identifiers.type)
        for part in parts:
            if part.kind not in ("links", "uids"):
                continue
            schema = self._ledger.schema if part.kind == "links" else of_uids
            tables = (
                table.filter(pa.array(~self._is_of(table, members)))
                for table in self._ledger.parts.read([part], schema)
            )
            kept = (table for table in tables if len(table))
            if (first := next(kept, None)) is not None:
                yield self._ledger.parts.write(part.kind, itertools.chain([first], kept))

    def _is_of(self, table: pa.Table, members: UidSet) -> np.ndarray[tuple[int], np.dtype[np.bool]]:
        froms = self._identifiers.numbers(table["from_uid"])
        here = uids.as_set(np.unique(froms)) & members
        return np.isin(froms, uids.as_array(here))

    def _ranges(self, members: UidSet, *kinds: str) -> Iterator[tuple[UidSet, list[pa.Table]]]:
        """Yield the UIDs of each range with their rows of each kind, with numbers for UIDs."""
        ledger, numbers = self._ledger, ["from_uid", *(["to_uid"] if self._unites else [])]
        schema = pa.schema(
            [
                field.with_type(pa.int64()) if field.name in numbers else field
                for field in ledger.schema
            ]
        )
        parts = {kind: ledger.state.parts(kind) for kind in kinds}
        parts["links"] = self.touched("links", members)
        rows = max(sum(part.rows for part in parts[kind]) for kind in kinds)
        bounds = range_bounds(members, rows, ROWS)
        with Spill(ledger.folder / SPILLED, bounds, schema) as spill:
            for kind in kinds:
                tables = ledger.parts.read(parts[kind], ledger.schema)
                spill.fill(
                    kind,
                    (
                        rows_of(numbered(table, self._identifiers, self._tos), members)
                        for table in tables
                    ),
                )
            for number, mine in enumerate(cut(members, bounds)):
                yield mine, [spill.read(kind, number) for kind in kinds]

    def _joined(self, old: pa.Table, first: pa.Table, second: pa.Table) -> pa.Table:
        """Return the rows of both readings as one answer of each UID.

        Lists of records are united. Rows of other cmds are those of one reading: of the second if
        it lacks fewer rows of the old answer.
        """
        if self._unites:
            return merge_tables(first, second, np.empty(0, np.int64))[0]
        read_twice = uids.as_set(np.unique(second["from_uid"].to_numpy()))
        lost = [
            uids.as_array(uids.as_set()) if not len(one) else one["from_uid"].to_numpy()
            for one in (Split.of(old, reading, self._cmd).removed for reading in (first, second))
        ]
        in_doubt = np.unique(lost[0])
        counts = [uids.count(np.sort(one[np.isin(one, in_doubt)]), in_doubt) for one in lost]
        better = uids.as_set(in_doubt[counts[1] < counts[0]]) & read_twice
        kept = ~np.isin(first["from_uid"].to_numpy(), uids.as_array(better))
        return pa.concat_tables([first.filter(pa.array(kept)), rows_of(second, better)])

    def _linked(self, table: pa.Table) -> UidArray:
        """Return the UID of each row that represents links."""
        flag = COMMANDS[self._cmd].flag
        froms: UidArray = (table if flag is None else table.filter(table[flag]))[
            "from_uid"
        ].to_numpy()
        return froms
