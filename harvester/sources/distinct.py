"""Which UIDs of a source have come in before."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from harvester.model import uids

if TYPE_CHECKING:
    from harvester.model.uids import UidArray

    Block: TypeAlias = UidArray | list[str]
    """Some UIDs; accessions where those are harvested."""


class Distinct:
    """The members of all blocks so far: UIDs as a bitmap, accessions as a set of texts."""

    def __init__(self) -> None:
        self._uids = uids.as_set()
        self._accessions: set[str] = set()

    def __len__(self) -> int:
        return len(self._uids) + len(self._accessions)

    def new(self, block: Block) -> Block:
        """Take a block in, and give its members that are new, ascending."""
        if isinstance(block, list):
            texts = set(block) - self._accessions
            self._accessions |= texts
            return sorted(texts)
        found = uids.as_set(np.sort(block)) - self._uids
        self._uids |= found
        return uids.as_array(found)
