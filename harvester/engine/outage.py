"""Tell an outage from bad UIDs. Failed requests are held as suspects until it is known.

An answer that comes after them proves that the server is well: then the suspects are charged.
If nothing comes but failures, a control question decides; while that fails too, it is an outage,
and the suspects go back as if never asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harvester.errors import Fault
from harvester.model.uids import as_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.errors import RequestFailed
    from harvester.model.batch import Batch
    from harvester.model.uids import UidArray, UidSet

SUSPICIOUS = 8
"""Failures in a row, with no answer between, after which nothing more is asked unproved."""

_SERVICE = frozenset({Fault.NETWORK, Fault.TIMEOUT, Fault.SERVER})
FIRST_SECONDS, LONGEST_SECONDS = 5.0, 300.0


@dataclass(slots=True)
class Suspects:
    """Failed batches of which it is not known yet whether the server or a UID is to blame."""

    held: list[tuple[Batch, RequestFailed, float]] = field(default_factory=list)
    in_a_row: int = 0
    _tried: UidSet = field(default_factory=as_set)

    def add(self, batch: Batch, failure: RequestFailed, at: float = 0.0) -> None:
        """Hold a batch that failed at a time."""
        self.held.append((batch, failure, at))
        self.in_a_row += 1

    def release(self, asked_at: float = math.inf) -> list[tuple[Batch, RequestFailed]]:
        """Those cleared by an answer to what was asked at a time: they failed before it.

        What was asked before an outage may be answered in the midst of it, and proves nothing
        of what failed in between.
        """
        self.in_a_row = 0
        released = [(batch, failure) for batch, failure, at in self.held if at <= asked_at]
        self.held = [one for one in self.held if one[2] > asked_at]
        return released

    def witness(self) -> UidArray | None:
        """One of the UIDs held, to be asked for alone, where nobody else can tell; each once.

        One UID that fails may be to blame; several that fail one by one speak of an outage. A
        sound answer that lacks a UID speaks of that UID, and needs no witness.
        """
        for batch, failure, _ in self.held:
            untried = as_set(batch.uids) - self._tried
            if failure.fault in _SERVICE and untried:
                self._tried.add(untried[0])
                return np.array([untried[0]], np.int64)
        return None

    def need_control(self, *, idle: bool) -> bool:
        """Whether to ask the control question: many failed in a row, or nobody else will tell.

        Args:
            idle: nothing is in flight and nothing else can be asked now.
        """
        return self.in_a_row >= SUSPICIOUS or (idle and bool(self.held))


def probe_delays() -> Iterator[tuple[float, bool]]:
    """Seconds before each control question, and whether it is an outage by then.

    One that fails proves little, since one request in twenty may fail on a bad day; after three
    in a row it is an outage, and they come more and more seldom, from 5 s up to 5 min.
    """
    yield from ((0.0, False), (0.5, False), (1.0, False))
    delay = FIRST_SECONDS
    while True:
        yield delay, True
        delay = min(delay * 2, LONGEST_SECONDS)
