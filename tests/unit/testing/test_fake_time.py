"""Simulated time: pauses cost nothing, threads are awaited, a deadlock is reported."""

from __future__ import annotations

import asyncio
import time

import pytest

from harvester.testing import FakeClock, fake_seconds, run_in_fake_time

DAY = 86_400


def test_a_day_of_pauses_takes_no_time() -> None:
    async def wait() -> float:
        await asyncio.gather(*(asyncio.sleep(seconds) for seconds in (1, DAY)))
        return fake_seconds()

    begun = time.monotonic()
    assert run_in_fake_time(wait()) == pytest.approx(DAY, abs=0.01)
    assert time.monotonic() - begun < DAY / 100


def test_timers_fire_in_their_order() -> None:
    order: list[int] = []

    async def wait(seconds: int) -> None:
        await asyncio.sleep(seconds)
        order.append(seconds)

    async def both() -> None:
        await asyncio.gather(*map(wait, (30, 10, 20)))

    run_in_fake_time(both())
    assert order == [10, 20, 30]


def test_late_timers_are_late_within_the_limit_and_the_same_each_time() -> None:
    async def wait() -> float:
        for _ in range(10):
            await asyncio.sleep(1)
        return fake_seconds()

    first = run_in_fake_time(wait(), latest=8)
    assert 10.1 < first < 10 + 10 * 8.1
    assert run_in_fake_time(wait(), latest=8) == first


def test_a_call_in_a_thread_takes_no_simulated_time() -> None:
    async def call() -> float:
        before = fake_seconds()
        await asyncio.to_thread(time.sleep, 0.05)
        return fake_seconds() - before

    assert run_in_fake_time(call()) < 0.001


def test_a_deadlock_is_an_error() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="no timer is set"):
        run_in_fake_time(wait())


def test_a_fake_clock_follows_the_loop_and_can_be_set() -> None:
    clock = FakeClock("2026-11-18T12:00:00-05:00")

    async def wait() -> None:
        await asyncio.sleep(90)
        assert clock().isoformat(timespec="seconds") == "2026-11-18T17:01:30+00:00"
        clock.set("2026-11-19T09:00:00-05:00")
        await asyncio.sleep(60)
        assert clock().isoformat(timespec="seconds") == "2026-11-19T14:01:00+00:00"

    run_in_fake_time(wait())
