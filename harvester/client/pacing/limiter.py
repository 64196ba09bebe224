"""Permits for requests: evenly spaced, never more than the rate in any second, slower after a 429.

Every request of every utility needs a permit. An `AsyncLimiter` spaces the permits of this process;
a `SlidingWindow`, the log of the last permits, guarantees that no sliding second contains more
requests than the rate. There are two windows: one of this process, at its own rate, and one in a
file, of all processes on this machine that use the same server and API key.
"""

from __future__ import annotations

import asyncio
import math
import random
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np
from aiolimiter import AsyncLimiter

from harvester.client.pacing.sliding_window import SPACING_SECONDS, SlidingWindow, buffer_size

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from harvester.client.pacing.shared_window import SharedWindow

_CATCH_UP = 0.97
"""Share of the even distance between permits. Timers fire late; the window enforces the limit."""

_POLL_SECONDS = 0.005
"""Seconds between checks whether a request with a permit has been sent."""

_TICK_SECONDS = 1e-6
"""Seconds below which a wait counts as none: timers are not that precise."""

_BUSY_SECONDS = 0.001
"""Mean seconds until the next attempt while another process holds the lock of the shared window."""


class Permit:
    """Permission to send one request.

    It counts against the rate from the time the request was sent; until then, from the time the
    permit was granted.

    Args:
        set_sent: records in the windows when the request was sent; None: not sent yet.
        clock: returns seconds; by default those of the running event loop.

    Attributes:
        sent_at: seconds on the clock; None while the request has not been sent.
    """

    def __init__(
        self,
        set_sent: Callable[[float | None], None] = lambda _: None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.sent_at: float | None = None
        self._set_sent = set_sent
        self._clock = clock or asyncio.get_running_loop().time

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"Permit(sent_at={self.sent_at})"

    @contextmanager
    def hold(self) -> Iterator[Callable[[], Awaitable[None] | None]]:
        """Keep the permit until the request is sent. Call the yielded function when it is sent.

        If the function returns an awaitable, await it before sending.

        A request may wait for its connection. If its permit counted from the time it was granted,
        the request would be sent late, too close to those after it. Leaving the block without a
        call counts as sent: the permit is used up.
        """
        self._set_sent(None)
        try:
            yield self._on_ready
        finally:
            if self.sent_at is None:
                self._mark_sent()

    def _on_ready(self) -> Awaitable[None] | None:
        self._mark_sent()
        return None

    def _mark_sent(self) -> None:
        self.sent_at = self._clock()
        self._set_sent(self.sent_at)


class Limiter:
    """Grants permits for requests to one server.

    Args:
        rate: requests per second, the most in any sliding second.
        shared: window of all processes that use this server and API key, if there is one.
        clock: returns seconds, the same for all of them; by default those of the running loop.

    Attributes:
        wanted: `rate` as given; the rate in force may be lower after a 429.
        away: why the shared limit does not answer; always empty here.
        away_seconds: for how many seconds it has not answered.

    Example:
        ```
        limiter = Limiter(10.0)
        permit = await limiter.acquire()
        with permit.hold() as on_sent:
            ...  # connect, call on_sent(), and send one request
        ```
    """

    away = ""
    away_seconds = 0.0

    def __init__(
        self,
        rate: float,
        shared: SharedWindow | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.wanted = rate
        self._clock = clock or asyncio.get_running_loop().time
        buffer = np.zeros(buffer_size(math.ceil(rate) + 1))
        self._own = SlidingWindow(buffer, rate, self._clock())
        self._shared = shared
        self._turn = asyncio.Lock()
        self._spaced_for = 0.0
        self._space()

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"Limiter({self.rate:g}/s of {self.wanted:g}/s)"

    @property
    def is_shared(self) -> bool:
        """True if other processes share the same limit."""
        return self._shared is not None

    @property
    def others(self) -> int:
        """Other processes that use the same limit now."""
        return 0 if self._shared is None else self._shared.window.others(self._clock())

    @property
    def rate(self) -> float:
        """Requests per second permitted now."""
        return min(window.rate for window in self._windows())

    async def acquire(self) -> Permit:
        """Wait for a permit, in the order of the calls. Use it at once, for one request."""
        async with self._turn:
            self._space()
            await self._spacing.acquire()
            while isinstance(permit := self._try_grant(), float):
                await asyncio.sleep(min(permit, _POLL_SECONDS) if math.isinf(permit) else permit)
            return permit

    def refused(
        self,
        retry_after: float | None = None,
        limit: float | None = None,
        sent_at: float | None = None,
    ) -> None:
        """Adapt to a 429: pause all requests, lower the rate, and adopt a limit the server states.

        Args:
            retry_after: seconds that the server asked us to wait.
            limit: requests per second the server says it permits.
            sent_at: when the refused request was sent. If that was before the rate was lowered
                last, it proves nothing about the current rate.
        """
        now = self._clock()
        for window in self._windows():
            window.refuse(now, retry_after, limit, now if sent_at is None else sent_at)

    def _try_grant(self) -> Permit | float:
        """Return a permit, or the seconds to wait before the next try."""
        with ExitStack() as stack:
            if self._shared is not None and not stack.enter_context(self._shared.locked()):
                return random.uniform(0.5, 1.5) * _BUSY_SECONDS
            now = self._clock()
            wait = max(window.wait(now) for window in self._windows())
            if wait > _TICK_SECONDS:
                return wait
            places = [(window, window.grant(now)) for window in self._windows()]

        def set_sent(sent_at: float | None) -> None:
            for window, place in places:
                window.set_sent(place, sent_at)

        return Permit(set_sent, self._clock)

    def _windows(self) -> list[SlidingWindow]:
        return [self._own] if self._shared is None else [self._own, self._shared.window]

    def _space(self) -> None:
        """Adjust the spacing to the rate in force."""
        if self._spaced_for != (rate := self.rate):
            burst = max(1.0, rate * SPACING_SECONDS)
            self._spacing = AsyncLimiter(burst, burst / rate * _CATCH_UP)
            self._spaced_for = rate
