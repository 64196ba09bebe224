"""The rate limiter on simulated time: never above the rate in any second, and nearly all of it
used.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from harvester.client.pacing.limiter import Limiter, Permit
from harvester.testing import fake_seconds as now
from harvester.testing import run_in_fake_time as run

if TYPE_CHECKING:
    from collections.abc import Sequence

RATES = [1, 3, 10, 50, 200]
TRUE_SHARE = 0.975


async def _permits(limiter: Limiter, seconds: float, waiters: int = 200) -> list[float]:
    """Return the times of all permits while `waiters` callers want one at any moment."""
    times: list[float] = []

    async def worker() -> None:
        while True:
            await limiter.acquire()
            if now() > seconds:
                return
            times.append(now())

    await asyncio.gather(*(worker() for _ in range(waiters)))
    return times


def _most_in_a_second(times: Sequence[float]) -> int:
    """Return the most permits in any window of one second, its ends included."""
    most, window = 0, deque[float]()
    for at in times:
        window.append(at)
        while window[0] < at - 1.0:
            window.popleft()
        most = max(most, len(window))
    return most


def _least_share(times: Sequence[float], rate: float, span: float = 30.0) -> float:
    """Return the smallest share of the rate used over any `span` seconds' worth of permits."""
    count = round(rate * span)
    return min(span / (times[first + count] - times[first]) for first in range(len(times) - count))


@pytest.mark.parametrize("waiters", [1, 200])
@pytest.mark.parametrize("rate", RATES)
def test_no_second_sees_more_than_the_rate_and_nearly_all_is_used(rate: int, waiters: int) -> None:
    async def scenario() -> list[float]:
        return await _permits(Limiter(rate), 65, waiters)

    times = run(scenario())
    assert _most_in_a_second(times) <= rate
    assert _least_share(times, rate) >= TRUE_SHARE
    assert times[0] < 0.001


_TIMERS = [
    3,
    10,
    50,
]


@pytest.mark.parametrize("rate", _TIMERS)
def test_the_same_with_timers_of_a_millisecond(rate: int) -> None:
    """uvloop's timers fire up to two milliseconds late."""

    async def scenario() -> list[float]:
        return await _permits(Limiter(rate), 65)

    times = run(scenario(), latest=0.002)
    assert _most_in_a_second(times) <= rate
    assert _least_share(times, rate) >= TRUE_SHARE


@pytest.mark.parametrize(("rate", "most"), [(0.2, 1), (0.5, 1), (2.5, 3), (7.5, 8)])
def test_a_rate_that_is_no_whole_number(rate: float, most: int) -> None:
    async def scenario() -> list[float]:
        return await _permits(Limiter(rate), 130, 20)

    times = run(scenario())
    assert _most_in_a_second(times) <= most
    assert _least_share(times, rate, 60.0) >= TRUE_SHARE


@pytest.mark.parametrize("rate", RATES)
def test_a_pause_in_the_work_is_not_made_up_for(rate: int) -> None:
    """No permit is requested for ten seconds; then 200 callers wait at once."""

    async def scenario() -> list[float]:
        limiter = Limiter(rate)
        before = await _permits(limiter, 3)
        await asyncio.sleep(10)
        return before + await _permits(limiter, 25)

    assert _most_in_a_second(run(scenario())) <= rate


def test_permits_are_spread_over_the_second() -> None:
    async def scenario() -> list[float]:
        return await _permits(Limiter(10), 10)

    times = run(scenario())
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) > 0.05
    assert max(gaps) < 0.2


def test_permits_are_given_in_the_order_they_were_asked_for() -> None:
    async def scenario() -> list[int]:
        limiter = Limiter(50)
        served: list[int] = []

        async def ask(number: int) -> None:
            await limiter.acquire()
            served.append(number)

        await asyncio.gather(*(ask(number) for number in range(100)))
        return served

    assert run(scenario()) == list(range(100))


def test_whoever_stops_waiting_does_not_stop_the_others() -> None:
    async def scenario() -> list[float]:
        limiter = Limiter(10)
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(30)]
        await asyncio.sleep(0.25)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return await _permits(limiter, 20)

    times = run(scenario())
    assert times[0] < 1.0
    assert _most_in_a_second(times) <= 10


# --- 429 ------------------------------------------------------------------------------------


def _after_refusal(
    retry_after: float | None = None, limit: float | None = None, seconds: float = 12.0
) -> tuple[list[float], float]:
    """Return the permits after a refusal at 5 seconds, and the rate then."""

    async def scenario() -> tuple[list[float], float]:
        limiter = Limiter(10)
        await _permits(limiter, 5)
        refused_at = now()
        limiter.refused(retry_after, limit)
        rate = limiter.rate
        times = await _permits(limiter, refused_at + seconds)
        return [at - refused_at for at in times], rate

    return run(scenario())


def test_after_a_refusal_nobody_asks_for_more_than_a_whole_second() -> None:
    times, _ = _after_refusal()
    assert 1.0 < times[0] < 5.0


@pytest.mark.parametrize("seconds", [0.5, 2.0, 7.0])
def test_a_servers_retry_after_wins(seconds: float) -> None:
    times, _ = _after_refusal(seconds)
    assert seconds <= times[0] < seconds + 1.0


def test_those_who_wait_already_wait_longer_too() -> None:
    async def scenario() -> list[float]:
        limiter = Limiter(10)
        asyncio.get_running_loop().call_later(1.05, limiter.refused, 5.0)
        return await _permits(limiter, 10, 50)

    times = run(scenario())
    assert [at for at in times if 1.05 < at < 6.05] == []
    assert min(at for at in times if at > 1.05) < 7.0


def test_two_refusals_wait_for_the_later_of_their_times() -> None:
    async def scenario() -> float:
        limiter = Limiter(10)
        limiter.refused(8.0)
        limiter.refused(1.0)
        await limiter.acquire()
        return now()

    assert run(scenario()) == pytest.approx(8.0, abs=0.2)


def test_the_rate_steps_down_and_creeps_back_in_some_minutes() -> None:
    async def scenario() -> tuple[float, list[float], float]:
        limiter = Limiter(10)
        await _permits(limiter, 5)
        limiter.refused()
        stepped = limiter.rate
        times = await _permits(limiter, 300)
        return stepped, times, limiter.rate

    stepped, times, at_last = run(scenario())
    assert 5.0 <= stepped < 10.0
    soon = [at for at in times if 7 <= at < 12]
    assert len(soon) <= stepped * 5 * 1.05
    assert at_last == 10.0
    assert _most_in_a_second(times) <= 10


def test_a_volley_of_refusals_is_one_event() -> None:
    async def scenario() -> tuple[float, float]:
        once, often = Limiter(10), Limiter(10)
        await asyncio.sleep(5)
        once.refused()
        for _ in range(30):
            often.refused()
            await asyncio.sleep(0.01)
        return once.rate, often.rate

    once, often = run(scenario())
    assert once == often


def test_refusals_again_and_again_step_down_further_but_not_to_nothing() -> None:
    async def scenario() -> list[float]:
        limiter, rates = Limiter(10), [10.0]
        for _ in range(40):
            await asyncio.sleep(5)
            limiter.refused()
            rates.append(limiter.rate)
        return rates

    rates = run(scenario())
    assert rates == sorted(rates, reverse=True)
    assert rates[2] < rates[1] < rates[0]
    assert 0.5 <= rates[-1] <= 2.0


def test_a_stated_limit_is_believed_at_once_and_kept() -> None:
    async def scenario() -> tuple[float, list[float]]:
        limiter = Limiter(10)
        await _permits(limiter, 5)
        limiter.refused(limit=6.0)
        rate = limiter.rate
        times = await _permits(limiter, 300)
        assert limiter.rate == 6.0
        return rate, [at for at in times if at > 5.5]

    rate, times = run(scenario())
    assert rate == 6.0
    assert _most_in_a_second(times) <= 6
    assert _least_share([at for at in times if at > 10], 6) >= TRUE_SHARE


def test_a_stated_limit_above_the_wanted_rate_does_not_raise_it() -> None:
    async def scenario() -> list[float]:
        limiter = Limiter(3)
        await asyncio.sleep(5)
        limiter.refused(limit=10.0)
        return await _permits(limiter, 300)

    times = run(scenario())
    assert _most_in_a_second(times) <= 3


def test_repr_tells_both_rates() -> None:
    async def scenario() -> str:
        limiter = Limiter(10)
        limiter.refused(limit=6.0)
        return repr(limiter)

    assert run(scenario()) == "Limiter(6/s of 10/s)"


class _Server:
    """Permits N requests in any second, counting refused ones too, and answers later."""

    def __init__(self, permitted: int, *, retry_after: float | None, states: bool) -> None:
        self.permitted = permitted
        self.retry_after = retry_after
        self.limit = float(permitted) if states else None
        self.answered: list[float] = []
        self.refused: list[float] = []
        self._window: deque[float] = deque()

    def ask(self) -> bool:
        self._window.append(now())
        while self._window[0] <= now() - 1.0:
            self._window.popleft()
        well = len(self._window) <= self.permitted
        (self.answered if well else self.refused).append(now())
        return well


def _lowest_rate(server: _Server, latency: float, end: float) -> float:
    """Send up to 10 requests per second until the end; return the limiter's lowest rate."""
    lowest = math.inf

    async def scenario() -> None:
        limiter = Limiter(10)

        async def request() -> None:
            nonlocal lowest
            well = server.ask()
            await asyncio.sleep(latency)
            if not well:
                limiter.refused(server.retry_after, server.limit)
                lowest = min(lowest, limiter.rate)

        async with asyncio.TaskGroup() as tasks:
            while now() < end:
                await limiter.acquire()
                tasks.create_task(request())

    run(scenario())
    return lowest


@pytest.mark.parametrize("latency", [0.05, 0.8, 6.8])
@pytest.mark.parametrize("retry_after", [None, 1.0, 2.0])
def test_where_six_are_permitted_and_ten_were_expected(
    latency: float, retry_after: float | None
) -> None:
    """After ten seconds of answers at most 5 % are refused and 70 % of the rate is used."""
    server = _Server(6, retry_after=retry_after, states=True)
    begin, end = latency + 10, latency + 130
    _lowest_rate(server, latency, end)
    answered = sum(begin <= at < end for at in server.answered)
    refused = sum(begin <= at < end for at in server.refused)
    assert refused <= 0.05 * (answered + refused)
    assert answered >= 0.70 * 6 * (end - begin)


@pytest.mark.parametrize("latency", [0.05, 0.8, 6.8])
def test_a_limit_that_is_not_stated_is_found_by_stepping_down(latency: float) -> None:
    """NCBI's documented short form of the 429 states no limit."""
    server = _Server(6, retry_after=None, states=False)
    assert _lowest_rate(server, latency, 120) <= 6.0


# --- requests sent later than their permits were granted ---------------------------------------


@pytest.mark.parametrize("rate", [1, 3, 10])
def test_requests_that_wait_for_their_connection_do_not_crowd(rate: int) -> None:
    """The time of sending counts; connecting takes up to three seconds here."""
    sent: list[float] = []
    roll = random.Random(5)

    async def request(permit: Permit) -> None:
        with permit.hold() as on_sent:
            await asyncio.sleep(roll.choice([0.0, 0.0, 0.02, 0.9, 3.0]))
            on_sent()
            sent.append(now())

    async def scenario() -> None:
        limiter = Limiter(rate)
        async with asyncio.TaskGroup() as tasks:
            while now() < 120:
                tasks.create_task(request(await limiter.acquire()))

    run(scenario())
    assert len(sent) > 20
    assert _most_in_a_second(sorted(sent)) <= rate


def test_a_request_that_is_never_sent_frees_its_place() -> None:
    async def scenario() -> float:
        limiter = Limiter(1)
        for _ in range(3):
            permit = await limiter.acquire()
            with suppress(OSError), permit.hold():
                raise OSError("no connection")
        return now()

    assert run(scenario()) < 3.5
