"""The limit of many processes, with a simulated Redis on simulated time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("throttled", reason="the extra redis is not installed")

from support.simulated_counter import SimulatedRedis

from harvester.client.pacing.redis_limiter import BLOCK_SECONDS, RedisLimiter
from harvester.errors import BadInput
from harvester.testing import fake_seconds as now
from harvester.testing import run_in_fake_time

from .test_limiter import _least_share, _most_in_a_second

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LATE = 0.002
"""Seconds by which timers are late at most: those of uvloop are."""


class Processes:
    """Limiters that share one Redis; each sends as fast as it may.

    Attributes:
        sent: when requests were sent, by all of them.
    """

    def __init__(self, redis: SimulatedRedis, number: int, rate: float) -> None:
        self.redis = redis
        self.limiters = [RedisLimiter(rate, redis.counter()) for _ in range(number)]
        self.sent: list[float] = []
        self.connecting = 0.0

    async def run(self, seconds: float) -> None:
        """Send requests until a time."""
        async with AsyncExitStack() as stack:
            for limiter in self.limiters:
                stack.push_async_callback(limiter.close)
                await limiter.open()
            tasks = [asyncio.create_task(self.send(limiter)) for limiter in self.limiters]
            await asyncio.sleep(seconds - now())
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def send(self, limiter: RedisLimiter) -> None:
        requests = set[asyncio.Task[None]]()
        while True:
            permit = await limiter.acquire()

            async def request(permit: Any = permit) -> None:
                with permit.hold() as on_sent:
                    await asyncio.sleep(self.connecting)
                    await on_sent()
                    self.sent.append(now())

            requests.add(task := asyncio.create_task(request()))
            task.add_done_callback(requests.discard)


def sent_by(
    number: int,
    rate: float,
    seconds: float,
    meanwhile: Callable[[Processes], Awaitable[None]] | None = None,
    **redis: float,
) -> Processes:
    """Let some processes send for some seconds, while `meanwhile` runs."""

    async def scenario() -> Processes:
        processes = Processes(SimulatedRedis(**redis), number, rate)
        if meanwhile is None:
            await processes.run(seconds)
            return processes
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(processes.run(seconds))
            tasks.create_task(meanwhile(processes))  # type: ignore[arg-type]
        return processes

    processes = run_in_fake_time(scenario(), latest=LATE)
    processes.sent.sort()
    return processes


@pytest.mark.parametrize(
    ("number", "rate"), [(1, 3), (1, 10), (12, 10), (12, 40), (3, 100), (64, 500)]
)
def test_together_they_never_exceed_the_rate_and_use_97_percent(number: int, rate: int) -> None:
    found = sent_by(number, rate, 30)
    assert _most_in_a_second(found.sent) <= rate
    steady = [at for at in found.sent if at > 3]
    assert _least_share(steady, rate, 10.0) >= 0.97


def test_redis_is_asked_a_few_times_per_second_and_process() -> None:
    found = sent_by(12, 120, 30)
    assert found.redis.calls / 12 / 30 < 12
    assert found.redis.calls < len(found.sent)


@pytest.mark.parametrize(("longest", "least"), [(0.02, 0.75), (0.2, 0.35)])
def test_a_way_to_redis_of_changing_length_costs_starts_and_keeps_the_limit(
    longest: float, least: float
) -> None:
    found = sent_by(4, 20, 30, round_trip=longest)
    assert _most_in_a_second(found.sent) <= 20
    assert len(found.sent) > least * 20 * 30


@pytest.mark.parametrize("seconds", [0.03, 0.3])
def test_a_request_that_connects_slowly_is_sent_at_a_start_of_its_own(seconds: float) -> None:
    async def slow(processes: Processes) -> None:
        processes.connecting = seconds

    found = sent_by(4, 20, 30, slow)
    assert _most_in_a_second(found.sent) <= 20
    assert _least_share([at for at in found.sent if at > 8], 20, 10.0) >= 0.97


def test_a_process_that_dies_costs_at_most_its_last_block() -> None:
    async def die(processes: Processes) -> None:
        await asyncio.sleep(10.02)
        dead = processes.limiters.pop()
        dead._drop()
        dead._paused_until = 1e9

    found = sent_by(3, 30, 20, die)
    assert _most_in_a_second(found.sent) <= 30
    after = [at for at in found.sent if 10 < at < 20]
    assert len(after) >= 0.97 * 30 * 10 - 30 * BLOCK_SECONDS / 3 - 2


# --- 429 ------------------------------------------------------------------------------------


def refused_at_10(retry_after: float | None, limit: float | None, seconds: float = 60) -> Processes:
    async def refuse(processes: Processes) -> None:
        await asyncio.sleep(10)
        processes.limiters[0].refused(retry_after, limit, asyncio.get_running_loop().time() - 0.1)

    return sent_by(4, 20, seconds, refuse)


def test_a_refusal_of_one_pauses_all_as_long_as_the_server_says() -> None:
    sent = refused_at_10(5.0, None).sent
    assert [at for at in sent if 10.8 < at < 15.0] == []
    assert min(at for at in sent if at > 15.0) < 15.5


def test_a_limit_that_the_server_states_binds_all() -> None:
    found = refused_at_10(None, 6.0)
    after = [at for at in found.sent if at > 12]
    assert _most_in_a_second(after) <= 6
    assert _least_share(after, 6, 10.0) >= 0.97
    assert {limiter.rate for limiter in found.limiters} == {6.0}


def test_without_a_stated_limit_all_slow_down_and_recover() -> None:
    found = refused_at_10(None, None)
    soon = [at for at in found.sent if 13 < at < 15]
    assert 0.8 * 20 * 2 <= len(soon) <= 0.97 * 20 * 2
    late = [at for at in found.sent if at > 40]
    assert _least_share(late, 20, 10.0) >= 0.97
    assert _most_in_a_second(found.sent) <= 20


def test_a_process_that_begins_later_keeps_to_the_lower_rate() -> None:
    async def scenario() -> tuple[float, float]:
        redis = SimulatedRedis()
        first, second = (RedisLimiter(10, redis.counter()) for _ in range(2))
        await first.open()
        first.refused(limit=4.0)
        await asyncio.sleep(0.5)
        await second.open()
        begun = now()
        await second.acquire()
        waited = now() - begun
        await first.close()
        await second.close()
        return second.rate, waited

    rate, waited = run_in_fake_time(scenario())
    assert rate == 4.0
    assert waited > 0.9


# --- Redis goes away ------------------------------------------------------------------------


def test_without_redis_nothing_is_sent_and_with_it_all_go_on() -> None:
    async def leave(processes: Processes) -> None:
        await asyncio.sleep(10)
        processes.redis.away = True
        await asyncio.sleep(10)
        assert all(limiter.away == "Connection refused" for limiter in processes.limiters)
        assert all(limiter.away_seconds > 8 for limiter in processes.limiters)
        processes.redis.away = False

    found = sent_by(4, 20, 30, leave)
    assert [at for at in found.sent if 12.1 < at < 20.0] == []
    assert min(at for at in found.sent if at > 20.0) < 21.5
    assert _most_in_a_second(found.sent) <= 20
    assert not any(limiter.away for limiter in found.limiters)


@pytest.mark.parametrize("down", [0.0, 0.01, 0.3, 0.9, 1.5, 4.0])
def test_a_redis_that_lost_its_count_is_not_believed_at_once(down: float) -> None:
    async def restart(processes: Processes) -> None:
        for at in (7.013, 15.1, 23.31):
            await asyncio.sleep(at - now())
            processes.redis.away = True
            await asyncio.sleep(down)
            processes.redis.restart()
            processes.redis.away = False

    found = sent_by(6, 20, 40, restart)
    assert _most_in_a_second(found.sent) <= 20
    assert _least_share([at for at in found.sent if at > 33], 20, 5.0) >= 0.97


def test_a_redis_that_was_emptied_is_not_believed_at_once() -> None:
    async def empty(processes: Processes) -> None:
        for at in (7.013, 15.1, 23.31):
            await asyncio.sleep(at - now())
            processes.redis.empty()

    found = sent_by(6, 20, 40, empty)
    assert _most_in_a_second(found.sent) <= 20
    assert _least_share([at for at in found.sent if at > 33], 20, 5.0) >= 0.97


def test_nobody_begins_on_a_redis_that_has_just_started() -> None:
    found = sent_by(3, 20, 10, uptime=0.5)
    assert 3.4 < found.sent[0] < 4.3


def test_a_redis_that_refuses_this_program_is_bad_input() -> None:
    class Refusing(SimulatedRedis):
        def counter(self) -> Any:
            counter = super().counter()

            async def look() -> None:
                raise BadInput("no password")

            counter.look = look  # type: ignore[method-assign, assignment]
            return counter

    async def scenario() -> None:
        limiter = RedisLimiter(3, Refusing().counter())
        with pytest.raises(BadInput):
            await limiter.open()
        await limiter.close()

    run_in_fake_time(scenario())
