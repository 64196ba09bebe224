"""The running counts over the events of a run."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest

from harvester import events
from harvester.events import Tally


class _Clock:
    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def tally(clock: _Clock) -> Tally:
    """A run of 1,000 UIDs of which 100 were done before."""
    tally = Tally(clock)
    before = {"linked": 60, "empty": 40}
    tally(events.RunStarted(1000, 100, before, 77, 10.0, "localhost"))
    return tally


def test_a_run_goes_on_from_where_the_last_one_ended(tally: Tally) -> None:
    assert (tally.total, tally.done, tally.links) == (1000, 100, 77)
    assert (tally.rate, tally.server) == (10.0, "localhost")


def test_events_are_counted(tally: Tally) -> None:
    for _ in range(5):
        tally(events.RequestSent(20))
    for _ in range(3):
        tally(events.RequestEnded())
    tally(events.BatchAnswered(seconds=0.5, unrequested=2))
    tally(events.BatchAnswered(seconds=0.5, unrequested=1))
    tally(events.BatchRetried(20, "HTTP 500", 1.0))
    tally(events.SlowedDown(8.0))
    assert (tally.sent, tally.in_flight, tally.ok) == (5, 2, 2)
    assert tally.unrequested == 3
    assert (tally.retried, tally.rate_limited) == (1, 1)


def test_outcomes_add_up(tally: Tally) -> None:
    tally(events.UidsSettled({"linked": 7, "empty": 3}, links=42))
    assert tally.links == 77 + 42
    tally(events.UidsSettled({"missing": 1}))
    tally(events.UidsSettled({"failed": 2, "linked": 1}))
    assert dict(tally.outcomes) == {"linked": 68, "empty": 43, "missing": 1, "failed": 2}
    assert tally.done == 114


def test_waiting_ends_with_the_wait_or_the_run(tally: Tally) -> None:
    waiting = events.Waiting("hours", datetime(2026, 7, 8, tzinfo=UTC))
    for end in (events.Resumed(), events.RunEnded("interrupted")):
        tally(waiting)
        assert tally.waiting is waiting
        tally(end)
        assert tally.waiting is None


def test_the_achieved_rate_is_that_of_the_last_half_minute(tally: Tally, clock: _Clock) -> None:
    assert tally.achieved == 0.0
    for _ in range(600):  # a minute at 10/s
        tally(events.RequestSent(1))
        clock.now += 0.1
    assert tally.achieved == pytest.approx(10.0, rel=0.02)
    for _ in range(60):  # then half a minute at 2/s
        tally(events.RequestSent(1))
        clock.now += 0.5
    assert tally.achieved == pytest.approx(2.0, rel=0.05)
    clock.now += 31.0
    assert tally.achieved == 0.0


def test_the_time_left_follows_from_the_pace(tally: Tally, clock: _Clock) -> None:
    assert tally.eta_seconds is None
    for _ in range(20):  # 10 UIDs a second
        tally(events.UidsSettled({"linked": 10}))
        clock.now += 1.0
    assert tally.done == 300
    assert tally.eta_seconds == pytest.approx(70.0, rel=0.05)


def test_the_time_left_is_nothing_at_the_end(tally: Tally) -> None:
    tally(events.UidsSettled({"linked": 900}))
    assert tally.eta_seconds == 0.0


def test_two_answers_of_one_instant_do_not_end_the_run(tally: Tally) -> None:
    tally(events.UidsSettled({"linked": 1}))
    tally(events.UidsSettled({"linked": 1}))
    assert tally.eta_seconds != 0.0


def test_the_time_left_grows_while_nothing_is_answered(tally: Tally, clock: _Clock) -> None:
    for _ in range(5):
        tally(events.UidsSettled({"linked": 10}))
        clock.now += 1.0
    before = tally.eta_seconds
    clock.now += 3600.0
    after = tally.eta_seconds
    assert before is not None
    assert after is None or after > before


def test_events_cannot_be_changed() -> None:
    event = events.RequestSent(3)
    with pytest.raises(FrozenInstanceError):
        event.uids = 4  # type: ignore[misc]


def test_what_limits_is_the_last_limit_or_the_cause_of_a_wait(tally: Tally) -> None:
    found = [tally.limited_by]
    for event in (
        events.LimitChanged("server"),
        events.Waiting("outage", datetime(2026, 7, 8, tzinfo=UTC)),
        events.Resumed(),
    ):
        tally(event)
        found.append(tally.limited_by)
    assert found == ["rate", "server", "outage", "server"]


def _half_done(tally: Tally, clock: _Clock) -> None:
    """Return 100 UIDs of which 50 got an outcome within ten seconds."""
    tally(events.RunStarted(100, 0, {}, 0, 10.0, "server"))
    clock.now += 10.0
    tally(events.UidsSettled({"linked": 50}))


def test_the_time_left_is_unknown_during_an_outage(tally: Tally, clock: _Clock) -> None:
    _half_done(tally, clock)
    assert tally.eta_seconds == pytest.approx(10.0)
    tally(events.Waiting("outage", datetime(2026, 7, 8, tzinfo=UTC)))
    clock.now += 3600.0
    assert tally.eta_seconds is None


def test_the_time_left_includes_the_wait_for_the_hours(tally: Tally, clock: _Clock) -> None:
    _half_done(tally, clock)
    tally(events.Waiting("hours", datetime.now(UTC) + timedelta(hours=2)))
    clock.now += 600.0
    assert tally.eta_seconds == pytest.approx(7210.0, abs=60.0)


def test_a_tally_counts_without_a_clock_given() -> None:
    tally = Tally()
    tally(events.RunStarted(2, 0, {}, 0, 3.0, "server"))
    tally(events.UidsSettled({"linked": 1}, links=4))
    assert (tally.done, tally.links) == (1, 4)
