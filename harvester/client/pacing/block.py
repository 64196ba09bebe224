"""A block of evenly spaced starts that one process has reserved."""

from __future__ import annotations

import math
from dataclasses import dataclass

GRACE_SECONDS = 0.018
"""Seconds after its time during which a start may be used."""

_SLACK_SECONDS = 0.008
"""Seconds of this that a slow answer of Redis may use up."""


@dataclass(slots=True)
class Block:
    """Starts of requests, each used once, and never late.

    Args:
        first: time of the first start, by the clock of this process.
        distance: seconds between two starts.
        count: number of starts.
        late: seconds by which `first` may be too late, because Redis answered slowly. The starts at
            the end that would then lie after the block are given up.

    Attributes:
        used: starts taken.
        missed: starts that were not taken in time.
    """

    first: float = 0.0
    distance: float = 1.0
    count: int = 0
    late: float = 0.0
    used: int = 0
    missed: int = 0
    _next: int = 0

    def __post_init__(self) -> None:
        if self.late > _SLACK_SECONDS:
            shift = math.ceil((self.late - _SLACK_SECONDS) / self.distance)
            self.count = max(self.count - shift, 0)

    @property
    def left(self) -> int:
        """Number of starts that were neither taken nor missed."""
        return self.count - self._next

    @property
    def grace(self) -> float:
        """Seconds by which a start of this block may be used late."""
        return GRACE_SECONDS - min(self.late, _SLACK_SECONDS)

    def take(self, now: float) -> Start | None:
        """Return the next start that is not over, and count it as used; None if all are."""
        while self._next < self.count:
            start = self.first + self._next * self.distance
            self._next += 1
            if now <= start + self.grace:
                self.used += 1
                return Start(start, start + self.grace)
            self.missed += 1
        return None


@dataclass(frozen=True, slots=True)
class Start:
    """A time span in which one request may be sent.

    Attributes:
        at: begin of the span.
        until: end of the span.
    """

    at: float
    until: float
