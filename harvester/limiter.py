"""Evenly spaced permits, one for every attempt of every utility; a shared pause; a slow-down.

Two bounds hold together. An `AsyncLimiter` spaces permits evenly, and lets a late one be caught
up. A log of the last permits holds the promise itself: between a permit and the one `rate`
places before it lies more than a second, so no sliding second sees more than `rate`, also not
at the start, where a leaky bucket alone lets two go at once.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiolimiter import AsyncLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GUARD_SECONDS = 0.02
"""By how much more than a second the log spans: how far two requests' ways to the server may
differ in time without the server seeing one too many. It costs 2 % of the rate."""

_SPACING_SECONDS = 0.04  # where permits are closer, small groups may leave together
_CATCH_UP = 0.97  # of the even distance: timers come late, and the log has the last word
_STEP_DOWN, _SMALL_STEP_DOWN = 0.8, 0.95
_CALM_SECONDS = 15.0  # without a 429 for so long, the next one may be mere jitter: a small step
_CREEP = 0.01  # of the rate wanted, each second
_CREEP_SECONDS = 1.0
_FORGET_SECONDS = 600.0  # a limit that was stated in passing does not bind for the night
_LOOK_SECONDS = 0.005  # how often to look whether a request has left
_TICK_SECONDS = 1e-6  # no timer is finer
_PAUSE_SECONDS = 1.5  # after a 429 without Retry-After: a whole window and then some


class Permit:
    """Leave to send one request. It counts from when it was given, or better, when it was used."""

    def __init__(self, at: float) -> None:
        self.at = at

    @contextmanager
    def boarding(self) -> Iterator[Callable[[], None]]:
        """Inside, the permit counts from the call of the function that is given.

        A request may have to wait for its connection. Were its permit counted from when it was
        given, it would leave late and crowd those after it.
        """
        self.at = math.inf
        try:
            yield self._left
        finally:
            if self.at == math.inf:
                self._left()

    def _left(self) -> None:
        self.at = asyncio.get_running_loop().time()


class Limiter:
    """Permits for requests to one server.

    Args:
        rate: requests per second, the most there may be in any sliding second.

    Example:
        ```
        limiter = Limiter(10.0)
        permit = await limiter.acquire()
        with permit.boarding() as left:
            ...  # connect, call left(), and send one request
        ```
    """

    def __init__(self, rate: float) -> None:
        self.wanted = rate
        self._ceiling = rate
        self._rate = 0.0
        self._paused_until = 0.0
        self._changed_at = 0.0
        self._refused_at = self._stepped_at = -math.inf
        self._recent: deque[Permit] = deque()
        self._turn = asyncio.Lock()
        self._set(rate)

    def __repr__(self) -> str:
        """For logs and tests."""
        return f"Limiter({self._rate:g}/s of {self.wanted:g}/s)"

    @property
    def rate(self) -> float:
        """Requests per second permitted at the moment."""
        return self._rate

    async def acquire(self) -> Permit:
        """Wait for a permit; first come, first served. It is good for one request, sent at once."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            await self._spacing.acquire()
            self._creep(loop.time())
            while (wait := max(self._paused_until, self._free_at()) - loop.time()) > _TICK_SECONDS:
                await asyncio.sleep(min(wait, _LOOK_SECONDS) if math.isinf(wait) else wait)
            permit = Permit(loop.time())
            self._recent.append(permit)
            return permit

    def refused(
        self,
        retry_after: float | None = None,
        limit: float | None = None,
        sent_at: float = math.inf,
    ) -> None:
        """The server said 429: pause for all, go on more slowly, and believe a limit it states.

        Args:
            retry_after: seconds the server asked for.
            limit: requests per second the server says it permits.
            sent_at: when the refused request left; what left before the last step down tells
                nothing of the rate since.
        """
        now = asyncio.get_running_loop().time()
        self._paused_until = max(self._paused_until, now + (retry_after or _PAUSE_SECONDS))
        if limit is not None and limit < self._ceiling:
            self._ceiling = limit
            self._set(limit)
        elif min(now, sent_at) - self._stepped_at > _PAUSE_SECONDS:  # a volley of 429s is one event
            calm = now - self._refused_at > _CALM_SECONDS
            step = _SMALL_STEP_DOWN if calm else _STEP_DOWN
            self._set(max(self._rate * step, min(1.0, self.wanted)))
            self._stepped_at = now
        self._changed_at = self._refused_at = now

    def _creep(self, now: float) -> None:
        """Back towards the ceiling, a little at a time."""
        if now - self._refused_at > _FORGET_SECONDS:
            self._ceiling = self.wanted
        if self._rate < self._ceiling and now - self._changed_at > _CREEP_SECONDS:
            self._set(min(self._rate + _CREEP * self.wanted, self._ceiling))
            self._changed_at = now

    def _set(self, rate: float) -> None:
        self._rate = rate
        burst = max(1.0, rate * _SPACING_SECONDS)
        self._spacing = AsyncLimiter(burst, burst / rate * _CATCH_UP)
        # `places` permits per `span` seconds: for a whole number, `rate` in a bit over a second.
        self._places = math.ceil(rate)
        self._span = self._places / rate * (1 + GUARD_SECONDS)

    def _free_at(self) -> float:
        """When the log of permits has room for one more."""
        while len(self._recent) > self._places:
            self._recent.popleft()
        if len(self._recent) < self._places:
            return 0.0
        return self._recent[0].at + self._span
