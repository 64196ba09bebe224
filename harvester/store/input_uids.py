"""The input UIDs of a harvest: those known so far, and their notation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.model import uids
from harvester.model.identifiers import identifiers_of
from harvester.store.state_reader import ENDED, PARTIAL

if TYPE_CHECKING:
    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidSet
    from harvester.store.state import State


class Input:
    """The input UIDs, as stored in the state database.

    Args:
        state: the state of the harvest.
        idtype: how UIDs are written: `uid` or `acc`.

    Attributes:
        wanted: the input UIDs known so far, of all rounds; for accessions, their numbers.
        rounds: the UIDs of each round of a job with `repeat`, beginning with the input.
        identifiers: how they are written.
    """

    def __init__(self, state: State, idtype: str) -> None:
        self._state = state
        self.identifiers = identifiers_of(idtype, state.get("accessions"))
        kept = state.wanted()
        self.wanted: UidSet = uids.as_set() if kept is None else kept
        self._grown = kept is None
        numbers = range(int(state.get("rounds") or 0))
        self.rounds: list[UidSet] = [uids.load(state.get(f"round-{n + 1}")) for n in numbers]
        self._grown_rounds: set[int] = set()

    @property
    def ended(self) -> bool:
        """True if all input UIDs are known."""
        return self._state.get("source") is not None

    def add(self, listed: Listed) -> UidSet:
        """Add UIDs, to be stored with the next commit, and return those that are new."""
        together = self.wanted | self.identifiers.number_all(listed)
        new = together - self.wanted
        if new:
            self.wanted, self._grown = together, True
            if self.rounds:
                self._add_to_round(1, new)
        return new

    def begin_rounds(self) -> None:
        """Make the known UIDs the first round."""
        if not self.rounds:
            self._add_to_round(1, self.wanted)

    def add_round(self, number: int, members: UidSet) -> UidSet:
        """Add UIDs to a round, the next one at most, and return those that no round has."""
        if new := members - self.wanted:
            self.wanted, self._grown = self.wanted | new, True
            self._add_to_round(number, new)
        return new

    def _add_to_round(self, number: int, members: UidSet) -> None:
        if number > len(self.rounds):
            self.rounds.append(uids.as_set())
        self.rounds[number - 1] |= members
        self._grown_rounds.add(number)
        self._grown = True

    def without(self, listed: Listed) -> UidSet:
        """Return the UIDs of the harvest that an added list lacks."""
        ours = self.rounds[0] if self.rounds else self.wanted
        return ours - self.identifiers.number_all(listed)

    def end(self, *, whole: bool = True) -> None:
        """Mark the input UIDs as complete; `whole`: not from an unfinished harvest."""
        self._state.put(source=ENDED if whole else PARTIAL, **self.growth())

    def growth(self) -> dict[str, str | bytes]:
        """Return the values of `meta` that store the input UIDs; empty if nothing is new."""
        if not self._grown:
            return {}
        self._grown = False
        wanted, accessions = self.wanted, self.identifiers.dump()
        kept: dict[str, str | bytes] = {"wanted": uids.dump(wanted), "total": str(len(wanted))}
        if self._grown_rounds:
            kept |= {"rounds": str(len(self.rounds)), "rounds_ended": ""}
            kept |= {f"round-{n}": uids.dump(self.rounds[n - 1]) for n in self._grown_rounds}
            self._grown_rounds = set()
        return kept | ({"accessions": accessions} if accessions else {})
