"""The log of the last permits for one server, from which follows when the next may be granted.

Between a permit and the one `rate` places before it lies more than a second, so no sliding second
contains more than `rate` requests, not even the first one (a leaky bucket alone lets a burst go
then). All numbers lie in one buffer, in memory or in a file that processes on this machine share.
Times are seconds on a clock that all users of the buffer have in common.

Layout of the buffer, float64:

    RATE ... GRANTED | sent_at, one number per place | granted_at, the same | pid, the same
"""

from __future__ import annotations

import math
import os
from enum import IntEnum, auto
from typing import TYPE_CHECKING

import numpy as np

from harvester.client.pacing.slowed import (
    CALM_SECONDS,
    FORGET_SECONDS,
    PAUSE_SECONDS,
    RECOVERY,
    RECOVERY_SECONDS,
    SMALL_STEP_DOWN,
    STEP_DOWN,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

GUARD_SECONDS = 0.02
"""Share by which the log spans more than one second. The travel times of two requests may differ by
this much without exceeding the server's limit. It costs 2 % of the rate."""

SHARED_GUARD_SECONDS = 0.05
"""The same while several processes take turns: each of them is delayed by the others as well."""

SPACING_SECONDS = 0.04
"""Distance of permits below which small groups may be granted together."""

_NOT_SENT = math.inf
"""Entry of sent_at for a permit whose request has not been sent yet."""

_CATCH_UP = 0.9
"""Share of the even distance between permits: a late request may catch up."""

_HOLD_SECONDS = 20.0
"""Seconds after which a permit whose request was not sent counts as used."""


_OTHERS_SECONDS = 15.0  # longer than between two permits of any process that shares the window


class _Field(IntEnum):
    """Places of the single numbers; the log follows them."""

    RATE = 0
    WANTED = auto()
    CEILING = auto()
    PAUSED_UNTIL = auto()
    CHANGED_AT = auto()
    REFUSED_AT = auto()
    STEPPED_AT = auto()
    TOUCHED_AT = auto()
    SHARED_AT = auto()
    GRANTED = auto()


def buffer_size(places: int) -> int:
    """Return the length of a buffer whose log has `places` places."""
    return len(_Field) + 3 * places


class SlidingWindow:
    """Permits granted for one server, and the rate in force.

    Nothing here waits or locks. The users of a buffer must call `grant` one at a time; `set_sent`
    stores one number and needs no lock.

    Args:
        buffer: float64, of length `buffer_size(places)`; all zeros, if it is new.
        rate: requests per second that this user of the buffer wants.
        now: the time.
    """

    def __init__(self, buffer: NDArray[np.float64], rate: float, now: float) -> None:
        self._numbers = buffer[: len(_Field)]
        self._sent_at, self._granted_at, self._pids = np.split(buffer[len(_Field) :], 3)
        n = self._numbers
        idle = now - n[_Field.TOUCHED_AT]
        if not -PAUSE_SECONDS < idle <= FORGET_SECONDS:  # new, or from before a reboot
            buffer[:] = 0.0
            n[[_Field.REFUSED_AT, _Field.STEPPED_AT, _Field.SHARED_AT]] = -math.inf
        if rate > n[_Field.WANTED]:
            if n[_Field.RATE] == n[_Field.WANTED]:
                n[[_Field.RATE, _Field.CEILING]] = rate
            n[_Field.WANTED] = rate
        n[_Field.TOUCHED_AT] = now

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        granted = int(self._numbers[_Field.GRANTED])
        return f"SlidingWindow({self.rate:g}/s, {granted} granted)"

    def others(self, now: float) -> int:
        """Return how many other processes were granted permits within `_OTHERS_SECONDS`."""
        recent = self._pids[self._granted_at > now - _OTHERS_SECONDS]
        return len({int(pid) for pid in np.unique(recent)} - {0, os.getpid()})

    @property
    def rate(self) -> float:
        """Requests per second permitted now."""
        return float(self._numbers[_Field.RATE])

    def wait(self, now: float) -> float:
        """Return the seconds until a permit can be granted.

        Infinite while that depends on a permit whose request has not been sent.
        """
        self._recover(now)
        rate, granted = self.rate, int(self._numbers[_Field.GRANTED])
        free_at = self._numbers[_Field.PAUSED_UNTIL]
        if granted and 1 / rate > SPACING_SECONDS:
            free_at = max(free_at, self._granted_at[self._place(granted - 1)] + _CATCH_UP / rate)
        # `places` permits per `span` seconds: for a whole number, `rate` per second and a bit.
        places = math.ceil(rate)
        if granted >= places:
            oldest = self._place(granted - places)
            if self._sent_at[oldest] == _NOT_SENT and self._is_lost(oldest, now):
                self._sent_at[oldest] = now
            span = places / rate
            shared = now - self._numbers[_Field.SHARED_AT] < 2 * span
            guard = SHARED_GUARD_SECONDS if shared else GUARD_SECONDS
            free_at = max(free_at, self._sent_at[oldest] + span * (1 + guard))
        return float(free_at) - now

    def grant(self, now: float) -> int:
        """Log a permit and return its place in the log, for `set_sent`."""
        granted = int(self._numbers[_Field.GRANTED])
        place, pid = self._place(granted), os.getpid()
        if granted and self._pids[self._place(granted - 1)] != pid:
            self._numbers[_Field.SHARED_AT] = now
        self._sent_at[place] = self._granted_at[place] = now
        self._pids[place] = pid
        self._numbers[_Field.GRANTED] = granted + 1
        self._numbers[_Field.TOUCHED_AT] = now
        return place

    def set_sent(self, place: int, sent_at: float | None) -> None:
        """Record when the request of a permit was sent; None: it has not been sent yet."""
        self._sent_at[place] = _NOT_SENT if sent_at is None else sent_at

    def refuse(
        self, now: float, retry_after: float | None, limit: float | None, sent_at: float
    ) -> None:
        """Adapt to a 429; see `Limiter.refused`."""
        n = self._numbers
        n[_Field.PAUSED_UNTIL] = max(n[_Field.PAUSED_UNTIL], now + (retry_after or PAUSE_SECONDS))
        if limit is not None and limit < n[_Field.CEILING]:
            n[[_Field.CEILING, _Field.RATE]] = limit
        # Several 429s count as one step.
        elif min(now, sent_at) - n[_Field.STEPPED_AT] > PAUSE_SECONDS:
            calm = now - n[_Field.REFUSED_AT] > CALM_SECONDS
            step = SMALL_STEP_DOWN if calm else STEP_DOWN
            n[_Field.RATE] = max(self.rate * step, min(1.0, n[_Field.WANTED]))
            n[_Field.STEPPED_AT] = now
        n[[_Field.CHANGED_AT, _Field.REFUSED_AT]] = now

    def _recover(self, now: float) -> None:
        """Raise the rate a little towards its ceiling."""
        n = self._numbers
        if now - n[_Field.REFUSED_AT] > FORGET_SECONDS:
            n[_Field.CEILING] = n[_Field.WANTED]
        if self.rate < n[_Field.CEILING] and now - n[_Field.CHANGED_AT] > RECOVERY_SECONDS:
            n[_Field.RATE] = min(self.rate + RECOVERY * n[_Field.WANTED], n[_Field.CEILING])
            n[_Field.CHANGED_AT] = now

    def _place(self, number: int) -> int:
        return number % len(self._sent_at)

    def _is_lost(self, place: int, now: float) -> bool:
        """Return whether a permit will not be used: its process ended, or holds it too long."""
        if now - self._granted_at[place] > _HOLD_SECONDS:
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
