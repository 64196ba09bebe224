"""Translate the UIDs of one harvest into the numbers of another; only accessions are renumbered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from harvester.model import uids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.model.uids import UidArray
    from harvester.store.ledger import Ledger
    from harvester.store.reader import HarvestReader

_RAW_ROWS = 64
"""Kept responses renumbered at a time. One has up to some MB."""


class Renumbering:
    """Translates the numbers of a harvest's UIDs.

    Args:
        harvest: whose numbers are given.
        ledger: the harvest whose numbers are returned; it knows all UIDs of the other.
    """

    def __init__(self, harvest: HarvestReader, ledger: Ledger) -> None:
        self.changes = harvest.idtype == "acc"
        self._harvest = harvest
        if self.changes:
            self._old = uids.as_array(harvest.wanted)
            texts = harvest.identifiers.column(self._old)
            self._new = ledger.input.identifiers.numbers(texts)

    def __call__(self, members: UidArray) -> Any:
        """Return the set of some UIDs."""
        return uids.as_set(np.sort(self._numbers(members)))

    def raw(self) -> Iterator[pa.Table]:
        """Yield the kept responses with the new numbers."""
        for table in self._harvest.raw():
            for piece in table.to_batches(max_chunksize=_RAW_ROWS):
                asked = piece["asked"]
                numbers = pa.array(self._numbers(asked.flatten().to_numpy()))
                offsets = asked.offsets.to_numpy() - asked.offsets[0].as_py()
                lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), numbers)
                place = piece.schema.get_field_index("asked")
                yield pa.Table.from_batches([piece]).set_column(
                    place, piece.schema.field("asked"), lists
                )

    def _numbers(self, members: UidArray) -> UidArray:
        return self._new[np.searchsorted(self._old, members)] if self.changes else members
