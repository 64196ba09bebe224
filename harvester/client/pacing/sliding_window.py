"""The pace of requests to one server, as numbers in a buffer.

The buffer is in memory, or in a file that all harvests on this machine share.

A log of the last permits holds the promise: between a permit and the one `rate` places before
it lies more than a second, so no sliding second sees more than `rate`, also not at the start,
where a leaky bucket alone lets two go at once. Times are seconds on a clock that whoever shares
the buffer has in common.
"""

from __future__ import annotations

import math
import os
from enum import IntEnum, auto
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GUARD_SECONDS = 0.02
"""By how much more than a second the log spans: how far two requests' ways to the server may
differ in time without the server seeing one too many. It costs 2 % of the rate."""

SHARED_GUARD_SECONDS = 0.05
"""The same while several processes take turns: each is held up by the others as well."""

SPACING_SECONDS = 0.04
"""Where permits are closer, small groups may leave together."""

_CATCH_UP = 0.9  # of the even distance: whoever comes late may catch up
_STEP_DOWN, _SMALL_STEP_DOWN = 0.8, 0.95
_CALM_SECONDS = 15.0  # without a 429 for so long, the next one may be mere jitter: a small step
_CREEP = 0.01  # of the rate wanted, each second
_CREEP_SECONDS = 1.0
_FORGET_SECONDS = 600.0  # a limit that was stated in passing does not bind for the night
_PAUSE_SECONDS = 1.5  # after a 429 without Retry-After: a whole window and then some
_BOARDING_SECONDS = 20.0  # longer than a connection takes: whoever has a permit so long is lost


class _Field(IntEnum):
    """Where each number is in the buffer; the log of permits comes after them."""

    RATE = 0
    WANTED = auto()
    CEILING = auto()
    PAUSED_UNTIL = auto()
    CHANGED_AT = auto()
    REFUSED_AT = auto()
    STEPPED_AT = auto()
    TOUCHED_AT = auto()
    SHARED_AT = auto()
    GIVEN = auto()


def size(places: int) -> int:
    """Numbers in a buffer whose log has so many places."""
    return len(_Field) + 3 * places


class Pace:
    """Permits of one server, and how fast they may follow each other.

    Nothing here waits or locks: whoever shares the buffer sees to it that one at a time asks,
    while marking a departure is one store and needs no lock.

    Args:
        buffer: float64, of `size(places)` numbers; all 0 for one that is new.
        rate: requests per second that this user of the buffer wants.
        now: the time.
    """

    def __init__(self, buffer: NDArray[np.float64], rate: float, now: float) -> None:
        self._numbers = buffer[: len(_Field)]
        self._left_at, self._given_at, self._pids = np.split(buffer[len(_Field) :], 3)
        n = self._numbers
        idle = now - n[_Field.TOUCHED_AT]
        if not -_PAUSE_SECONDS < idle <= _FORGET_SECONDS:  # new, or of another boot
            buffer[:] = 0.0
            n[[_Field.REFUSED_AT, _Field.STEPPED_AT, _Field.SHARED_AT]] = -math.inf
        if rate > n[_Field.WANTED]:
            if n[_Field.RATE] == n[_Field.WANTED]:
                n[[_Field.RATE, _Field.CEILING]] = rate
            n[_Field.WANTED] = rate
        n[_Field.TOUCHED_AT] = now

    @property
    def rate(self) -> float:
        """Requests per second permitted at the moment."""
        return float(self._numbers[_Field.RATE])

    def wait(self, now: float) -> float:
        """Seconds until a permit can be given; infinite while one that was given is not used."""
        self._creep(now)
        rate, given = self.rate, int(self._numbers[_Field.GIVEN])
        free_at = self._numbers[_Field.PAUSED_UNTIL]
        if given and 1 / rate > SPACING_SECONDS:
            free_at = max(free_at, self._given_at[self._place(given - 1)] + _CATCH_UP / rate)
        # `places` permits per span of seconds: for a whole number, `rate` in a bit over a second.
        places = math.ceil(rate)
        if given >= places:
            oldest = self._place(given - places)
            if math.isinf(self._left_at[oldest]) and self._is_lost(oldest, now):
                self._left_at[oldest] = now
            span = places / rate
            shared = now - self._numbers[_Field.SHARED_AT] < 2 * span
            guard = SHARED_GUARD_SECONDS if shared else GUARD_SECONDS
            free_at = max(free_at, self._left_at[oldest] + span * (1 + guard))
        return float(free_at) - now

    def give(self, now: float) -> int:
        """A permit, as the place in the log where its departure is to be marked."""
        given = int(self._numbers[_Field.GIVEN])
        place, pid = self._place(given), os.getpid()
        if given and self._pids[self._place(given - 1)] != pid:
            self._numbers[_Field.SHARED_AT] = now
        self._left_at[place] = self._given_at[place] = now
        self._pids[place] = pid
        self._numbers[_Field.GIVEN] = given + 1
        self._numbers[_Field.TOUCHED_AT] = now
        return place

    def mark(self, place: int, at: float) -> None:
        """The request of a permit left at a time; infinite while it is only about to leave."""
        self._left_at[place] = at

    def refuse(
        self, now: float, retry_after: float | None, limit: float | None, sent_at: float
    ) -> None:
        """The server said 429; see `Limiter.refused`."""
        n = self._numbers
        n[_Field.PAUSED_UNTIL] = max(n[_Field.PAUSED_UNTIL], now + (retry_after or _PAUSE_SECONDS))
        if limit is not None and limit < n[_Field.CEILING]:
            n[[_Field.CEILING, _Field.RATE]] = limit
        elif min(now, sent_at) - n[_Field.STEPPED_AT] > _PAUSE_SECONDS:  # a volley is one event
            calm = now - n[_Field.REFUSED_AT] > _CALM_SECONDS
            step = _SMALL_STEP_DOWN if calm else _STEP_DOWN
            n[_Field.RATE] = max(self.rate * step, min(1.0, n[_Field.WANTED]))
            n[_Field.STEPPED_AT] = now
        n[[_Field.CHANGED_AT, _Field.REFUSED_AT]] = now

    def _creep(self, now: float) -> None:
        """Back towards the ceiling, a little at a time."""
        n = self._numbers
        if now - n[_Field.REFUSED_AT] > _FORGET_SECONDS:
            n[_Field.CEILING] = n[_Field.WANTED]
        if self.rate < n[_Field.CEILING] and now - n[_Field.CHANGED_AT] > _CREEP_SECONDS:
            n[_Field.RATE] = min(self.rate + _CREEP * n[_Field.WANTED], n[_Field.CEILING])
            n[_Field.CHANGED_AT] = now

    def _place(self, number: int) -> int:
        return number % len(self._left_at)

    def _is_lost(self, place: int, now: float) -> bool:
        """Whether the permit will not be used: its process died, or took too long."""
        if now - self._given_at[place] > _BOARDING_SECONDS:
            return True
        if os.name == "nt":
            return False
        try:
            os.kill(int(self._pids[place]), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False
