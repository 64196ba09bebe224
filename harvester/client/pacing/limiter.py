"""Evenly spaced permits, one for every attempt of every utility; a shared pause; a slow-down.

An `AsyncLimiter` spaces the permits of this process; a log of the last ones holds the promise
that no sliding second sees more than the rate (see `pace`). The log is kept twice: for this
process, at its own rate, and for all that share a server and a key, in a file.
"""

from __future__ import annotations

import asyncio
import math
import random
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np
from aiolimiter import AsyncLimiter

from harvester.client.pacing import sliding_window as pace
from harvester.client.pacing.sliding_window import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harvester.client.pacing.shared_window import CommonPace

_CATCH_UP = 0.97  # of the even distance: timers come late, and the log has the last word
_LOOK_SECONDS = 0.005  # how often to look whether a request has left
_TICK_SECONDS = 1e-6  # no timer is finer
_BUSY_SECONDS = 0.001  # until another process is done with the common pace


class Permit:
    """Leave to send one request. It counts from when it was given, or better, when it was used.

    Args:
        at: when it was given.
        mark: told of when it was used.
        clock: seconds.
    """

    def __init__(
        self,
        at: float,
        mark: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.at = at
        self._mark = mark
        self._clock = clock or asyncio.get_running_loop().time

    @contextmanager
    def boarding(self) -> Iterator[Callable[[], None]]:
        """Inside, the permit counts from the call of the function that is given.

        A request may have to wait for its connection. Were its permit counted from when it was
        given, it would leave late and crowd those after it.
        """
        self._count_from(math.inf)
        try:
            yield self._left
        finally:
            if self.at == math.inf:
                self._left()

    def _left(self) -> None:
        self._count_from(self._clock())

    def _count_from(self, at: float) -> None:
        self.at = at
        self._mark(at)


class Limiter:
    """Permits for requests to one server.

    Args:
        rate: requests per second, the most there may be in any sliding second.
        common: the pace of all processes that ask this server with the same key, if any.
        clock: seconds, the same for all of them; the running loop's, by default.

    Example:
        ```
        limiter = Limiter(10.0)
        permit = await limiter.acquire()
        with permit.boarding() as left:
            ...  # connect, call left(), and send one request
        ```
    """

    def __init__(
        self,
        rate: float,
        common: CommonPace | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.wanted = rate
        self._clock = clock or asyncio.get_running_loop().time
        buffer = np.zeros(pace.size(math.ceil(rate) + 1))
        self._own = Pace(buffer, rate, self._clock())
        self._common = common
        self._turn = asyncio.Lock()
        self._spaced_for = 0.0
        self._space()

    def __repr__(self) -> str:
        """For logs and tests."""
        return f"Limiter({self.rate:g}/s of {self.wanted:g}/s)"

    @property
    def rate(self) -> float:
        """Requests per second permitted at the moment."""
        return min(one.rate for one in self._paces())

    async def acquire(self) -> Permit:
        """Wait for a permit; first come, first served. It is good for one request, sent at once."""
        async with self._turn:
            self._space()
            await self._spacing.acquire()
            while isinstance(permit := self._try(), float):
                await asyncio.sleep(min(permit, _LOOK_SECONDS) if math.isinf(permit) else permit)
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
        now = self._clock()
        for one in self._paces():
            one.refuse(now, retry_after, limit, sent_at)

    def _try(self) -> Permit | float:
        """A permit, or the seconds to wait for one."""
        with ExitStack() as stack:
            if self._common is not None and not stack.enter_context(self._common.held()):
                return random.uniform(0.5, 1.5) * _BUSY_SECONDS
            now = self._clock()
            wait = max(one.wait(now) for one in self._paces())
            if wait > _TICK_SECONDS:
                return wait
            places = [(one, one.give(now)) for one in self._paces()]

        def mark(at: float) -> None:
            for one, place in places:
                one.mark(place, at)

        return Permit(now, mark, self._clock)

    def _paces(self) -> list[Pace]:
        return [self._own] if self._common is None else [self._own, self._common.pace]

    def _space(self) -> None:
        """Space permits evenly, at the rate of the moment."""
        if self._spaced_for != (rate := self.rate):
            burst = max(1.0, rate * pace.SPACING_SECONDS)
            self._spacing = AsyncLimiter(burst, burst / rate * _CATCH_UP)
            self._spaced_for = rate
