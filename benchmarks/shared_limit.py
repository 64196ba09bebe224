"""Measure the shared rate limit: the share that 64 workers get, and the load of Redis.

    python -m benchmarks.shared_limit

Each row is 60 s on a simulated clock: as many limiters as there are processes, each of which sends
as fast as it may. The count of starts is throttled-py's GCRA in memory, on the simulated clock; an
exchange with Redis takes up to 2 ms, and timers are up to 2 ms late.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from unittest.mock import patch

from throttled.asyncio import MemoryStore

from harvester.client.pacing.redis_counter import Shared, gcra
from harvester.client.pacing.redis_limiter import RedisLimiter
from harvester.testing import fake_seconds, run_in_fake_time

ROWS = ((1, 10), (4, 10), (12, 40), (64, 500))
SECONDS, START_SECONDS = 60.0, 5.0
ROUND_TRIP = LATE = 0.002


class MemoryCounter:
    """The count of one process, in the memory that all share; see `RedisCounter`."""

    calls = 0

    def __init__(self, store: MemoryStore, processes: int) -> None:
        self._store, self._processes = store, processes
        self._roll = random.Random(processes).uniform

    async def _travel(self) -> None:
        await asyncio.sleep(self._roll(0.0, ROUND_TRIP / 2))

    async def reserve(self, starts: int, rate: float) -> float:
        MemoryCounter.calls += 1
        await self._travel()
        result = await gcra(rate, self._store).limit("key", cost=starts)
        await self._travel()
        return max(result.state.reset_after - starts / rate, 0.0)

    async def look(self) -> Shared:
        MemoryCounter.calls += 1
        await self._travel()
        shared = Shared("1", 100, self._processes, 0.0, None)
        await self._travel()
        return shared

    async def refuse(self, *_: object) -> None:
        raise AssertionError("nobody is refused here")

    async def close(self) -> None:
        """Close nothing."""


async def measure(processes: int, rate: int) -> tuple[list[float], float]:
    """Return the times of sending, and the exchanges with Redis per permit."""
    store, sent = MemoryStore(), list[float]()
    MemoryCounter.calls = 0

    async def send(limiter: RedisLimiter) -> None:
        while True:
            permit = await limiter.acquire()
            with permit.hold() as on_sent:
                if (waiting := on_sent()) is not None:
                    await waiting
                sent.append(fake_seconds())

    async with AsyncExitStack() as stack:
        limiters = [RedisLimiter(rate, MemoryCounter(store, processes)) for _ in range(processes)]
        for limiter in limiters:
            stack.push_async_callback(limiter.close)
            await limiter.open()
        tasks = [asyncio.create_task(send(limiter)) for limiter in limiters]
        await asyncio.sleep(SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return sorted(sent), MemoryCounter.calls / len(sent)


def busiest_second(times: list[float]) -> int:
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def main() -> None:
    print("| processes | requests/s | used | busiest second | exchanges with Redis per permit |")
    print("| --: | --: | --: | --: | --: |")
    for processes, rate in ROWS:
        with patch("throttled.utils.now_mono_f", lambda: asyncio.get_running_loop().time()):
            sent, calls = run_in_fake_time(measure(processes, rate), latest=LATE)
        steady = [at for at in sent if at > START_SECONDS]
        used = (len(steady) - 1) / (steady[-1] - steady[0]) / rate
        print(f"| {processes} | {rate} | {used:.1%} | {busiest_second(sent)} | {calls:.2f} |")


if __name__ == "__main__":
    main()
