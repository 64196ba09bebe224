"""Tell an outage from bad UIDs. Failed requests are held as suspects until it is known.

An answer that comes after them proves that the server is well: then the suspects are charged.
If nothing comes but failures, a control question decides; while that fails too, it is an outage,
and the suspects go back as if never asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.errors import RequestFailed
    from harvester.verdict import Batch

SUSPICIOUS = 8
"""Failures in a row, with no answer between, after which nothing more is asked unproved."""

FIRST_SECONDS, LONGEST_SECONDS = 5.0, 300.0


@dataclass(slots=True)
class Suspects:
    """Failed batches of which it is not known yet whether the server or a UID is to blame."""

    held: list[tuple[Batch, RequestFailed]] = field(default_factory=list)

    def add(self, batch: Batch, failure: RequestFailed) -> None:
        """Hold a failed batch."""
        self.held.append((batch, failure))

    def release(self) -> list[tuple[Batch, RequestFailed]]:
        """All that are held, which are held no longer."""
        held, self.held = self.held, []
        return held

    def need_control(self, *, idle: bool) -> bool:
        """Whether to ask the control question: many failed in a row, or nobody else will tell.

        Args:
            idle: nothing is in flight and nothing else can be asked now.
        """
        return len(self.held) >= SUSPICIOUS or (idle and bool(self.held))


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
