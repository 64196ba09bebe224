"""Rounds of a job that follows its own targets: a breadth-first search, each UID requested once.

Round 1 requests the input. Each further round requests those targets of the round before that no
round has requested yet. It begins when the round before has ended, so that rounds are the levels of
the search, independent of the order of the answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.errors import BadInput
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.row_schemas import ROUND
from harvester.sources.earlier_run import targets

if TYPE_CHECKING:
    from harvester.job.link import Link
    from harvester.model.uids import UidSet
    from harvester.store.ledger import Ledger


def check_rounds(ledger: Ledger, link: Link) -> None:
    """Check that a folder does not hold more rounds than a job requests.

    Raises:
        BadInput: it does.
    """
    count = len(ledger.input.rounds)
    if count > link.repeat:
        raise BadInput(
            f"{ledger.folder} holds {count} rounds already, more than repeat = {link.repeat}; give "
            "another --out for fewer."
        )


class Rounds:
    """The rounds of one harvest.

    Args:
        ledger: the harvest's folder.
        link: the links to follow.
    """

    def __init__(self, ledger: Ledger, link: Link) -> None:
        self._ledger = ledger
        self._link = link
        self._found: list[UidSet] = []

    def are_ended(self) -> bool:
        """Return whether an earlier run has ended all rounds and no UID is left."""
        state, wanted = self._ledger.state, self._ledger.input.wanted
        return state.get("rounds_ended") == str(self._link.repeat) and not wanted - state.done()

    def begin(self) -> None:
        """Record that more rounds may follow, and read what earlier runs found."""
        ledger = self._ledger
        ledger.input.begin_rounds()
        ledger.state.put(**{"rounds_ended": "", **ledger.input.growth()})
        self._found = [uids.as_set() for _ in range(self._link.repeat)]
        if not ledger.state.links():
            return
        schema = pa.schema([ledger.schema.field(n) for n in ("dbto", "to_uid", ROUND.name)])
        for table in ledger.parts.read(ledger.state.parts("links"), schema):
            for number in pc.unique(table[ROUND.name]).to_pylist():
                self.take(table.filter(pc.equal(table[ROUND.name], number)), number)

    def take(self, links: pa.Table, number: int) -> None:
        """Record the targets of links of a round."""
        if number < self._link.repeat:  # those of the last round are not followed
            found = targets(links, self._link.dbfrom)
            self._found[number - 1] |= self._ledger.input.identifiers.number_all(found)

    def todo(self, number: int) -> UidSet:
        """Return the UIDs of a round without an outcome; none for a future round."""
        rounds = self._ledger.input.rounds
        members = rounds[number - 1] if number <= len(rounds) else uids.as_set()
        return members - self._ledger.state.done()

    def expand(self, number: int) -> bool:
        """Record the next round once a round has ended; return whether it has any UID."""
        if number >= self._link.repeat:
            return False
        ledger = self._ledger
        ledger.input.add_round(number + 1, self._found[number - 1])
        ledger.state.put(**ledger.input.growth())
        return number < len(ledger.input.rounds)

    def end(self) -> None:
        """Record that no targets are left to follow."""
        self._ledger.state.put(rounds_ended=str(self._link.repeat))
