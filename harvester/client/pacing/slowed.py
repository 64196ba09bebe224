"""The rate after a 429: how far it falls, and how it rises again.

The server's stated limit binds at once. Without one the rate falls by a step, and rises slowly to
where it was. Pure: every time is passed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

STEP_DOWN, SMALL_STEP_DOWN = 0.8, 0.95
"""Factors by which a 429 lowers the rate."""

CALM_SECONDS = 15.0
"""After so long without a 429, the next one may be chance: the small step is taken."""

RECOVERY, RECOVERY_SECONDS = 0.01, 1.0
"""The rate rises again by this share of the wanted rate, once in so many seconds."""

FORGET_SECONDS = 600.0
"""A limit that the server stated once binds for so long; an idle log of permits is reset after
it."""

PAUSE_SECONDS = 1.5
"""Pause after a 429 without Retry-After: more than a whole window of a second."""


@dataclass(frozen=True, slots=True)
class Slowed:
    """What a 429 left.

    Attributes:
        rate: requests per second right after it.
        ceiling: requests per second up to which the rate rises again.
    """

    rate: float
    ceiling: float

    def rate_after(self, age: float, wanted: float) -> float:
        """Return the requests per second permitted some seconds after the 429.

        Args:
            age: seconds since the 429.
            wanted: requests per second that the caller wants, the most returned.
        """
        if age > FORGET_SECONDS:
            return wanted
        risen = self.rate + RECOVERY * wanted * int(age / RECOVERY_SECONDS)
        return min(risen, self.ceiling, wanted)


def slowed_by(
    before: Slowed | None, age: float, wanted: float, limit: float | None, sent: float
) -> Slowed | None:
    """Return what a 429 leaves.

    Args:
        before: what the one before left, if there was one.
        age: seconds since that one.
        wanted: requests per second that the caller wants.
        limit: requests per second that the server says it permits, if it does.
        sent: seconds since the refused request was sent. If that was before the rate fell last,
            it tells nothing about the rate since.

    Returns:
        The new state; None if `before` stays as it is.
    """
    if before is None or age > FORGET_SECONDS:
        before, age = Slowed(wanted, wanted), math.inf
    if limit is not None and limit < before.ceiling:
        return Slowed(limit, limit)
    if age - sent <= PAUSE_SECONDS:  # several 429s, one step
        return None
    step = SMALL_STEP_DOWN if age > CALM_SECONDS else STEP_DOWN
    rate = max(before.rate_after(age, wanted) * step, min(1.0, wanted))
    return Slowed(rate, before.ceiling)
