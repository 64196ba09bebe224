"""One rate limit for several machines: permits from blocks of starts reserved in Redis.

Each process reserves the next N evenly spaced starts at once and sends one request at each of them.
So a process asks Redis a few times per second, never once per request, and one that dies costs at
most its last block. What makes the limit hold at the server:

- The starts are 2 % further apart than the limit asks (`MARGIN`), so a start may be used up to
  20 ms late. A start that is missed by more is lost; the request takes the next one.
- A request waits for its start when its connection is ready, not before it connects.
- A start counts only while Redis was seen within the last two seconds (`FRESH_SECONDS`), in the
  same life. A Redis that has started again may have lost its count; nothing is reserved until all
  starts of its life before are over (`SETTLED_SECONDS`).
- Without Redis nothing is sent.

This process measures with its own monotonic clock only, and Redis with its own.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from harvester.client.pacing.block import Block
from harvester.client.pacing.limiter import Permit
from harvester.client.pacing.slowed import PAUSE_SECONDS, slowed_by
from harvester.errors import BadInput, HarvestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harvester.client.pacing.block import Start
    from harvester.client.pacing.redis_counter import Shared
    from harvester.client.pacing.slowed import Slowed

MARGIN = 0.02
"""Share by which starts are further apart than the limit; seconds by which one may be late."""

FRESH_SECONDS = 2.0
"""Seconds for which an answer of Redis is valid."""

LOOK_SECONDS, IDLE_LOOK_SECONDS = 0.7, 5.0
"""Seconds between polls of Redis while permits are wanted, and otherwise."""

BLOCK_SECONDS = 2.0
"""Seconds that a block of starts lasts, at this process' share of the rate."""

SETTLED_SECONDS = 4
"""Whole seconds after a start of Redis in which nothing is reserved: longer than starts reserved
before may be used, and one second for the server's count."""

MOST_LEAD_SECONDS = 0.5
"""Seconds before its start at which a permit is granted, so that its request can connect."""

_WANTED_SECONDS = 2.0
"""Seconds without a waiting caller after which Redis is polled less often."""

_MEASUREMENTS = 3
"""Exchanges with Redis at the start, to know how long one takes."""

_CANCEL_SECONDS = 0.2
"""Seconds until a task is cancelled once more."""

_SAME_PAUSE_SECONDS = 0.1
"""Seconds by which the ends of one pause may differ: each poll measures it again."""

_NEVER = -math.inf


class Counter(Protocol):
    """Interface of the shared state; see `RedisCounter`."""

    async def reserve(self, starts: int, rate: float) -> float: ...  # noqa: D102
    async def look(self) -> Shared: ...  # noqa: D102
    async def refuse(self, pause: float, slowed: Slowed) -> None: ...  # noqa: D102
    async def close(self) -> None: ...  # noqa: D102


class RedisLimiter:
    """Grants permits like `Limiter`, for one process of many on any machines.

    Args:
        rate: requests per second, the most in any sliding second of all processes together.
        counter: what the processes share.
        clock: returns monotonic seconds.

    Attributes:
        wanted: `rate` as given; the rate in force may be lower after a 429.
        is_shared: whether other processes keep the same limit; always true.
        away: why nothing is permitted, while Redis does not answer; else empty.
    """

    is_shared = True

    def __init__(
        self, rate: float, counter: Counter, clock: Callable[[], float] | None = None
    ) -> None:
        self.wanted = rate
        self.away = ""
        self._counter = counter
        self._clock = clock or asyncio.get_running_loop().time
        self._shared: Shared | None = None
        self._seen_at = self._away_since = self._wanted_at = self._slowed_at = _NEVER
        self._slowed: Slowed | None = None
        self._paused_until = _NEVER
        self._report: tuple[float, Slowed] | None = None
        self._block = Block()
        self._generation = 0
        self._size, self._lead, self._round_trip = 1, 0.0, math.inf
        self._turn, self._taking = asyncio.Lock(), asyncio.Lock()
        self._looked, self._look_now = asyncio.Event(), asyncio.Event()
        self._reserving: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"RedisLimiter({self.rate:g}/s of {self.wanted:g}/s)"

    @property
    def others(self) -> int:
        """Other processes, on any machine, that use the same limit now."""
        return 0 if self._shared is None else max(self._shared.users - 1, 0)

    @property
    def rate(self) -> float:
        """Requests per second permitted now, to all processes together."""
        if self._slowed is None:
            return self.wanted
        return self._slowed.rate_after(self._clock() - self._slowed_at, self.wanted)

    @property
    def away_seconds(self) -> float:
        """Seconds for which Redis has not answered; 0 while it does."""
        return self._clock() - self._away_since if self.away else 0.0

    async def open(self) -> None:
        """Begin to look at Redis.

        Raises:
            BadInput: Redis refuses this program. One that does not answer is waited for later.
        """
        try:
            await self._look()
        except BadInput:
            raise
        except HarvestError:
            pass
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop, and close the connections."""
        for task in (self._watching, self._reserving):
            while task is not None and not task.done():
                task.cancel()  # repeat: redis-py may take it for a lost connection
                await asyncio.wait([task], timeout=_CANCEL_SECONDS)
        await self._counter.close()

    async def acquire(self) -> Permit:
        """Wait for a permit, in the order of the calls. Use it at once, for one request."""
        async with self._turn:
            while True:
                start, generation = await self._next_start()
                await self._sleep_until(start.at - self._lead)
                if generation == self._generation and self._is_open():
                    return _Scheduled(start, generation, self)

    def refused(
        self,
        retry_after: float | None = None,
        limit: float | None = None,
        sent_at: float | None = None,
    ) -> None:
        """Adapt to a 429, in all processes; see `Limiter.refused`."""
        now = self._clock()
        until = max(self._paused_until, now + (retry_after or PAUSE_SECONDS))
        sent = 0.0 if sent_at is None else max(now - sent_at, 0.0)
        slowed = slowed_by(self._slowed, now - self._slowed_at, self.wanted, limit, sent)
        if slowed is not None:
            self._slowed, self._slowed_at = slowed, now
        self._pause(until)
        assert self._slowed is not None
        self._report = (until, self._slowed)
        self._look_now.set()

    async def begin(self, start: Start, generation: int) -> None:
        """Wait for the start of a request whose connection is ready; take another if too late."""
        while True:
            await self._sleep_until(start.at)
            now = self._clock()
            if generation == self._generation and self._is_open():
                if now <= start.until:
                    return
                self._lead = min(self._lead + now - start.at, MOST_LEAD_SECONDS)
            start, generation = await self._next_start()

    # --- starts -------------------------------------------------------------------------------

    async def _next_start(self) -> tuple[Start, int]:
        """Return the next start of this process that is not over, and its generation."""
        async with self._taking:
            while True:
                self._want()
                await self._wait_until_open()
                start = self._block.take(self._clock())
                if not self._block.left and (self._reserving is None or self._reserving.done()):
                    self._reserving = asyncio.create_task(self._reserve())
                if start is not None:
                    return start, self._generation
                if self._reserving is not None:
                    await asyncio.wait([self._reserving])

    def _is_open(self) -> bool:
        """Return whether requests may be sent now."""
        now = self._clock()
        return (
            self._shared is not None
            and now - self._seen_at <= FRESH_SECONDS
            and self._shared.uptime >= SETTLED_SECONDS
            and now >= self._paused_until
        )

    async def _wait_until_open(self) -> None:
        while not self._is_open():
            self._want()
            if self._clock() < self._paused_until:
                await self._sleep_until(self._paused_until)
                continue
            self._looked.clear()
            await self._looked.wait()

    async def _reserve(self) -> None:
        """Reserve the next block; without Redis there is none."""
        rate = self.rate / (1 + MARGIN)
        share = math.ceil(rate * BLOCK_SECONDS / (self.others + 1))
        wasted, used = self._block.missed, self._block.used
        self._size = max(used, 1) if wasted else min(max(2 * self._size, 2), max(share, 2))
        generation = self._generation
        try:
            if math.isinf(self._round_trip):
                for _ in range(_MEASUREMENTS):
                    await self._call(0, rate)
            first, late = await self._call(self._size, rate)
            # After a restart of Redis these starts may belong to other processes.
            await self._look()
        except HarvestError as error:
            self._lose(error)
            return
        if generation == self._generation:
            self._block = Block(first, 1 / rate, self._size, late)

    async def _call(self, starts: int, rate: float) -> tuple[float, float]:
        """Reserve starts.

        Returns:
            The time of the first, and the seconds by which that may be too late: Redis answered at
            some time of the exchange, and the shortest exchange says how long one takes.

        Raises:
            HarvestError: Redis did not answer, or refuses this program.
        """
        sent = self._clock()
        wait = await self._counter.reserve(starts, rate)
        got = self._clock()
        self._round_trip = min(self._round_trip * 1.01, got - sent)
        return got - self._round_trip / 2 + wait, got - sent - self._round_trip

    # --- what Redis says ----------------------------------------------------------------------

    async def _watch(self) -> None:
        """Poll Redis repeatedly."""
        while True:
            idle = self._clock() - self._wanted_at > _WANTED_SECONDS
            delay = IDLE_LOOK_SECONDS if idle else LOOK_SECONDS
            since = 0.0 if self.away else self._clock() - self._seen_at
            with suppress(TimeoutError):
                async with asyncio.timeout(max(delay - since, 0.0)):
                    await self._look_now.wait()
            self._look_now.clear()
            if self._clock() - self._seen_at >= LOOK_SECONDS or self._report is not None:
                with suppress(HarvestError):
                    await self._look()

    async def _look(self) -> None:
        """Send this process's news to Redis, and take over the shared state.

        Raises:
            HarvestError: Redis did not answer, or refuses this program.
        """
        try:
            if (report := self._report) is not None:
                until, slowed = report
                await self._counter.refuse(max(until - self._clock(), 0.0), slowed)
                if self._report is report:
                    self._report = None
            at = self._clock()
            shared = await self._counter.look()
        except HarvestError as error:
            self._lose(error)
            raise
        if self._shared is not None and self._shared.life != shared.life:
            self._drop()
            if shared.uptime >= SETTLED_SECONDS:  # emptied while it ran: others do not know yet
                self._pause(self._clock() + SETTLED_SECONDS)
        self._shared, self._seen_at, self.away = shared, at, ""
        if self._report is None:
            self._take_over(shared)
        self._looked.set()

    def _take_over(self, shared: Shared) -> None:
        now = self._clock()
        if shared.pause > 0 and now + shared.pause > self._paused_until + _SAME_PAUSE_SECONDS:
            self._pause(now + shared.pause)
        if shared.slowed is None:
            self._slowed = None
        else:
            self._slowed, self._slowed_at = shared.slowed[0], now - shared.slowed[1]

    def _lose(self, error: HarvestError) -> None:
        """Record that Redis did not answer."""
        if not self.away:
            self._away_since = self._clock()
        self.away = str(error).rstrip(".") or "no answer"
        self._seen_at = _NEVER
        self._looked.set()

    def _pause(self, until: float) -> None:
        self._paused_until = until
        self._drop()

    def _drop(self) -> None:
        """Discard all starts of this process."""
        self._generation += 1
        self._block = Block()

    async def _sleep_until(self, moment: float) -> None:
        while (wait := moment - self._clock()) > 0:
            await asyncio.sleep(wait)

    def _want(self) -> None:
        now = self._clock()
        if now - self._wanted_at > _WANTED_SECONDS:
            self._look_now.set()
        self._wanted_at = now


class _Scheduled(Permit):
    """A permit whose request is sent at its start."""

    def __init__(self, start: Start, generation: int, limiter: RedisLimiter) -> None:
        super().__init__(clock=limiter._clock)  # noqa: SLF001 - of the same module
        self._start, self._generation, self._limiter = start, generation, limiter

    def _on_ready(self) -> Awaitable[None]:
        return self._wait_for_start()

    async def _wait_for_start(self) -> None:
        await self._limiter.begin(self._start, self._generation)
        self._mark_sent()
