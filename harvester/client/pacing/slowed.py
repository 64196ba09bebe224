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
"""Seconds without a 429 after which the next one may be chance: only the small step is taken."""

RECOVERY, RECOVERY_SECONDS = 0.01, 1.0
"""Share of the wanted rate by which the rate rises, and seconds between two rises."""

FORGET_SECONDS = 600.0
"""Seconds for which a limit stated by the server is kept; an idle log of permits is reset then."""

PAUSE_SECONDS = 1.5
"""Seconds of the pause after a 429 without Retry-After: more than a window of one second."""


@dataclass(frozen=True, slots=True)
class Slowed:
    """State after a 429.

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
    """Return the state after a 429.

    Args:
        before: the state after the previous 429, if there was one.
        age: seconds since the previous 429.
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
    if age - sent <= PAUSE_SECONDS:  # several 429s count as one step
        return None
    step = SMALL_STEP_DOWN if age > CALM_SECONDS else STEP_DOWN
    rate = max(before.rate_after(age, wanted) * step, min(1.0, wanted))
    return Slowed(rate, before.ceiling)
