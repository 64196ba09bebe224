"""Probes: requests for UIDs that were answered before, which show whether the server works.

Without such witnesses, a UID that was never sent is used, then the UIDs of failed batches one by
one, and finally EInfo. One or two UIDs that fail alone may be bad; several indicate an outage of
ELink itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.model.uids import as_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harvester.model.batch import Batch
    from harvester.model.uids import UidSet

WITNESSES = 3
"""Answered UIDs kept for probes; while all of them fail, the server is taken to be down."""

LONE_PROBES = 10
"""Probes for UIDs never answered before; if all fail and EInfo works, the UIDs are bad. With the
intervals of `probe_delays` they take ten minutes."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that shows whether the server works.

    Attributes:
        uid: the UID to ask for; None for EInfo, or for a UID that was never sent.
        fresh: whether to ask for a UID that was never sent.
    """

    uid: int | None = None
    fresh: bool = False


class Witnesses:
    """Some answered UIDs, and what to request when they are not answered.

    Args:
        known: UIDs answered in earlier runs; some become witnesses.
    """

    def __init__(self, known: UidSet) -> None:
        places = {0, len(known) // 2, len(known) - 1} if known else set[int]()
        self._uids = deque([int(known[place]) for place in sorted(places)], WITNESSES)
        self._failed: set[int] = set()  # asked and not answered since
        self._lone: UidSet = as_set()  # UIDs of failed batches that were requested alone
        self._lone_probes = 0
        self._trusts_einfo = False

    def __repr__(self) -> str:
        """Show the number of witnesses."""
        return f"Witnesses({list(self._uids)}, {sorted(self._failed)} failed)"

    def answered(self, uids: Sequence[int]) -> None:
        """Record an answer for some UIDs; for none, if EInfo was requested."""
        self._trusts_einfo = not uids
        if uids:
            self._uids.extend(uid for uid in uids if uid not in self._uids)
            self._failed.clear()
            self._lone_probes = 0

    def next_probe(self, *, fresh: bool, failed: Iterable[Batch]) -> Probe:
        """Return the next probe.

        Args:
            fresh: whether there is a UID that was never sent.
            failed: failed batches for which the server may be at fault.
        """
        untried = [uid for uid in self._uids if uid not in self._failed]
        if untried or len(self._uids) >= WITNESSES:
            uid = untried[0] if untried else self._uids[0]
            self._uids.remove(uid)
            self._uids.append(uid)  # last in turn
            self._failed.add(uid)  # until it is answered
            return Probe(uid)
        if self._trusts_einfo or self._lone_probes >= LONE_PROBES:
            return Probe()
        self._lone_probes += 1
        if fresh:
            return Probe(fresh=True)
        for batch in failed:
            if rest := as_set(batch.uids) - self._lone:
                self._lone.add(rest[0])
                return Probe(int(rest[0]))
        return Probe()
