"""A simulated Redis with its count of starts, on the loop's time, without throttled-py."""

from __future__ import annotations

import asyncio
import random

from harvester.client.pacing.redis_counter import CounterAway, Shared
from harvester.client.pacing.slowed import FORGET_SECONDS, Slowed


class SimulatedRedis:
    """The state that all processes share.

    Args:
        round_trip: longest seconds of an exchange; each takes a random part of it.
        uptime: seconds since it started, at first.

    Attributes:
        away: whether it answers unused.
        calls: exchanges of all processes so far.
    """

    def __init__(self, round_trip: float = 0.001, uptime: float = 100.0) -> None:
        self.round_trip = round_trip
        self.away = False
        self.calls = 0
        self.users: set[int] = set()
        self.next_start = 0.0
        self.paused_until = 0.0
        self.slowed: tuple[Slowed, float] | None = None
        self.life = 1
        self.started_at = self.now() - uptime
        self.roll = random.Random(3).uniform

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def restart(self) -> None:
        """Lose all data, as a Redis without persistence that is killed and restarted."""
        self.life += 1
        self.started_at, self.next_start, self.paused_until, self.slowed = (
            self.now(),
            0.0,
            0.0,
            None,
        )

    def empty(self) -> None:
        """Lose all data while it runs, as after FLUSHALL."""
        started_at = self.started_at
        self.restart()
        self.started_at = started_at

    def counter(self) -> SimulatedCounter:
        return SimulatedCounter(self)


class SimulatedCounter:
    """The connection of one process; see `RedisCounter`."""

    def __init__(self, redis: SimulatedRedis) -> None:
        self._redis = redis
        redis.users.add(id(self))

    async def _exchange(self) -> None:
        self._redis.calls += 1
        await self._travel()
        if self._redis.away:
            raise CounterAway("Connection refused")

    async def _travel(self) -> None:
        await asyncio.sleep(self._redis.roll(0.0, self._redis.round_trip / 2))

    async def reserve(self, starts: int, rate: float) -> float:
        await self._exchange()
        redis = self._redis
        first = max(redis.now(), redis.next_start)
        redis.next_start = first + starts / rate
        wait = first - redis.now()
        await self._travel()
        return wait

    async def look(self) -> Shared:
        await self._exchange()
        redis, now = self._redis, self._redis.now()
        slowed = redis.slowed
        if slowed is not None and now - slowed[1] > FORGET_SECONDS:
            slowed = None
        shared = Shared(
            life=str(redis.life),
            uptime=int(now - redis.started_at),
            users=len(redis.users),
            pause=max(redis.paused_until - now, 0.0),
            slowed=None if slowed is None else (slowed[0], now - slowed[1]),
        )
        await self._travel()
        return shared

    async def refuse(self, pause: float, slowed: Slowed) -> None:
        await self._exchange()
        redis = self._redis
        redis.paused_until = max(redis.paused_until, redis.now() + pause)
        redis.slowed = (slowed, redis.now())
        await self._travel()

    async def close(self) -> None:
        self._redis.users.discard(id(self))
