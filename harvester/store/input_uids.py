"""The input UIDs of a harvest: which are known by now, and how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.model import uids
from harvester.model.identifiers import identifiers_of

if TYPE_CHECKING:
    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidSet
    from harvester.store.state import State


class Input:
    """What a harvest is asked for, as its state has it.

    Args:
        state: holds what was known when it was last written.
        idtype: how UIDs are written: `uid` or `acc`.

    Attributes:
        wanted: the input UIDs known by now.
        identifiers: how they are written.
    """

    def __init__(self, state: State, idtype: str) -> None:
        self._state = state
        self.identifiers = identifiers_of(idtype, state.get("accessions"))
        kept = state.wanted()
        self.wanted: UidSet = uids.as_set() if kept is None else kept
        self._grown = kept is None

    @property
    def ended(self) -> bool:
        """Whether all are known."""
        return self._state.get("source") is not None

    def add(self, listed: Listed) -> UidSet:
        """Take more UIDs; those that are new. They are kept with the next commit."""
        together = self.wanted | self.identifiers.number_all(listed)
        new = together - self.wanted
        if new:
            self.wanted, self._grown = together, True
        return new

    def end(self) -> None:
        """These were all: keep them."""
        self._state.put(source="ended", **self.growth())

    def growth(self) -> dict[str, str | bytes]:
        """What the state has yet to keep of them."""
        if not self._grown:
            return {}
        self._grown = False
        wanted, accessions = self.wanted, self.identifiers.dump()
        kept: dict[str, str | bytes] = {"wanted": uids.dump(wanted), "total": str(len(wanted))}
        return kept | ({"accessions": accessions} if accessions else {})
