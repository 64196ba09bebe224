"""Remove UIDs of a source that occurred before."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from harvester.model import uids

if TYPE_CHECKING:
    from harvester.model.uids import UidArray

    Block: TypeAlias = UidArray | list[str]
    """UIDs, or with `idtype=acc` accessions."""


class Distinct:
    """Members of all blocks so far: UIDs in a bitmap, accessions in a set of texts."""

    def __init__(self) -> None:
        self._uids = uids.as_set()
        self._accessions: set[str] = set()

    def __len__(self) -> int:
        """Return the number of distinct members."""
        return len(self._uids) + len(self._accessions)

    def add(self, block: Block) -> Block:
        """Add a block and return its new members, ascending."""
        if isinstance(block, list):
            texts = set(block) - self._accessions
            self._accessions |= texts
            return sorted(texts)
        found = uids.as_set(np.sort(block)) - self._uids
        self._uids |= found
        return uids.as_array(found)
