"""An engine that is stopped or cancelled in each of its states, on simulated time.

After any end no request is in flight, no task is left, and each UID was delivered at most once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from support.engines import engine_run, linked, uids_of

from harvester import events
from harvester.engine.off_peak import Hours
from harvester.errors import HarvestError
from harvester.model.outcomes import Outcome
from harvester.testing import FakeClock, Reply, Timed, fake_seconds, run_in_fake_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.engines import EngineRun, Script

    from harvester.testing import Answer, SentRequest

DRAIN_SECONDS = 10
"""Seconds for which answers in flight are awaited."""

SOON = 0.1
"""Seconds that count as at once."""


def never(request: SentRequest) -> Answer:
    """Never answer."""
    return Timed(None)


def connecting(request: SentRequest) -> Answer:
    """Make no connection for an hour."""
    return Timed(linked(request), connecting=3600)


def slowly(request: SentRequest) -> Answer:
    """Answer within the time that a stopped engine waits."""
    return Timed(linked(request), answering=DRAIN_SECONDS / 2)


def failing_for_one(request: SentRequest) -> Answer:
    """Fail for UID 1, which is to be retried after an hour."""
    return Reply(503, {"retry-after": "3000"}, b"") if 1 in uids_of(request) else linked(request)


def down(request: SentRequest) -> Answer:
    """Fail every request: an outage."""
    return Reply(503, {}, b"")


def noon() -> Hours:
    """Return NCBI's hours, with a clock at noon of a weekday."""
    return Hours(bound=True, clock=FakeClock("2026-11-18T12:00:00-05:00"))


@dataclass(frozen=True)
class State:
    """A state of the engine.

    Attributes:
        name: of the test.
        script: of the server.
        uids: to request.
        after: simulated seconds until the engine is in that state.
        reached: whether it is.
        limits: of the job.
        hours: when to ask.
        drained: whether the requests in flight are answered once the engine is stopped.
    """

    name: str
    script: Script
    uids: range
    after: float
    reached: Callable[[EngineRun], bool]
    limits: dict[str, Any] = field(default_factory=dict)
    hours: Callable[[], Hours] | None = None
    drained: bool = True

    def __str__(self) -> str:
        return self.name

    def begin(self) -> tuple[EngineRun, asyncio.Task[HarvestError | None]]:
        """Start an engine in a task."""
        hours = self.hours() if self.hours else None
        run = engine_run(self.script, self.uids, hours=hours, **self.limits)
        return run, asyncio.create_task(run.drive())


def in_flight(run: EngineRun) -> bool:
    return run.transport.in_flight == 5


def nothing_in_flight(run: EngineRun) -> bool:
    return run.transport.in_flight == 0 and len(run.transport.requests) > 0


def waiting(run: EngineRun) -> bool:
    return isinstance(run.events[-1], events.Waiting) or any(
        isinstance(event, events.Waiting) for event in run.events[-3:]
    )


FIVE = {"concurrency": 5, "timeout": 3600}
STATES = [
    State("waiting for a permit", linked, range(1, 100), 5.5, nothing_in_flight, {"rate": 1}),
    State("connecting", connecting, range(1, 100), 5, in_flight, FIVE, drained=False),
    State("waiting for an answer", never, range(1, 100), 5, in_flight, FIVE, drained=False),
    State("reading slow answers", slowly, range(1, 100), 4, in_flight, FIVE),
    State("in backoff", failing_for_one, range(1, 9), 600, nothing_in_flight),
    State("in an outage", down, range(1, 100), 600, waiting),
    State("waiting for the hours", linked, range(1, 100), 600, waiting, hours=noon),
]


def assert_over(run: EngineRun) -> None:
    """Assert no request in flight, no task left, no UID given up or delivered twice."""
    assert run.transport.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert set(run.outcomes.values()) <= {Outcome.LINKED}


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_cancelled_engine_ends_at_once(state: State) -> None:
    async def script() -> None:
        run, driving = state.begin()
        await asyncio.sleep(state.after)
        assert state.reached(run)
        requests, cancelled = len(run.transport.requests), fake_seconds()
        driving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driving
        assert fake_seconds() - cancelled < SOON
        assert len(run.transport.requests) == requests
        assert_over(run)
        await run.limiter.acquire()  # the limiter is not left locked

    run_in_fake_time(script())


@pytest.mark.parametrize("state", STATES, ids=str)
def test_a_stopped_engine_sends_nothing_more_and_takes_what_is_answered(state: State) -> None:
    async def script() -> None:
        run, driving = state.begin()
        await asyncio.sleep(state.after)
        assert state.reached(run)
        requests, flying, stopped = run.transport.requests, run.transport.in_flight, fake_seconds()
        before, delivered = len(requests), len(run.outcomes)
        run.engine.halt(why := HarvestError("stopped"))
        assert await driving is why
        seconds = fake_seconds() - stopped
        assert len(requests) == before
        assert len(run.outcomes) - delivered == (flying if state.drained else 0)
        if flying == 0:
            assert seconds < SOON
        elif state.drained:
            assert seconds < DRAIN_SECONDS
        else:
            assert seconds == pytest.approx(DRAIN_SECONDS, abs=SOON)
        assert_over(run)

    run_in_fake_time(script())


@pytest.mark.parametrize("script_of_server", [never, connecting], ids=lambda one: one.__name__)
def test_an_engine_that_drains_is_cancelled_at_once(script_of_server: Script) -> None:
    async def script() -> None:
        run = engine_run(script_of_server, range(1, 100), concurrency=5)
        driving = asyncio.create_task(run.drive())
        await asyncio.sleep(3)
        run.engine.halt(HarvestError("stopped"))
        await asyncio.sleep(3)
        assert run.transport.in_flight == 5
        assert not driving.done()
        driving.cancel()
        cancelled = fake_seconds()
        with pytest.raises(asyncio.CancelledError):
            await driving
        assert fake_seconds() - cancelled < SOON
        assert_over(run)

    run_in_fake_time(script())


def test_an_engine_stopped_before_it_starts_sends_nothing() -> None:
    async def script() -> None:
        run = engine_run(linked, range(1, 100))
        run.engine.halt(why := HarvestError("stopped"))
        assert await run.drive() is why
        assert run.transport.requests == []
        assert_over(run)

    run_in_fake_time(script())


def test_the_first_reason_to_stop_counts() -> None:
    async def script() -> None:
        run = engine_run(slowly, range(1, 100), concurrency=5)
        driving = asyncio.create_task(run.drive())
        await asyncio.sleep(3)
        run.engine.halt(first := HarvestError("first"))
        await asyncio.sleep(1)
        run.engine.halt(HarvestError("second"))
        assert await driving is first
        assert_over(run)

    run_in_fake_time(script())


@pytest.mark.parametrize("after", [0.0, 1e-6, 0.005, 0.011, 0.02, 0.5, 0.999, 1.0, 1.001, 1.3])
def test_a_run_cancelled_and_started_again_answers_each_uid_once(after: float) -> None:
    """A second engine gets the UIDs that the cancelled one did not deliver."""

    def answer(request: SentRequest) -> Answer:
        return Timed(linked(request), connecting=0.01, answering=1.0)

    async def script() -> None:
        uids = range(1, 51)
        run = engine_run(answer, uids, rate=20, batch_size=3)
        driving = asyncio.create_task(run.drive())
        await asyncio.sleep(after)
        driving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driving
        assert_over(run)
        rest = [uid for uid in uids if uid not in run.outcomes]
        again = engine_run(answer, rest, rate=20, batch_size=3)
        assert await again.drive() is None
        assert not run.outcomes.keys() & again.outcomes.keys()
        assert run.outcomes | again.outcomes == dict.fromkeys(uids, Outcome.LINKED)

    run_in_fake_time(script())
