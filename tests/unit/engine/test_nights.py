"""The nights of a harvest: dates and clock times, also around clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.simulated_night import simulated_night

from harvester.engine.forecast import Forecast, forecast
from harvester.engine.nights import Course, nights
from harvester.engine.off_peak import EASTERN, Hours
from harvester.testing import FakeClock


def course(hours: float, per_second: float = 10.0) -> Course:
    """Return a course that sends evenly for some hours."""
    seconds = hours * 3600
    requests = round(seconds * per_second)
    return Course([Forecast(requests, seconds, 200, per_second, [0.0])])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Eastern daylight time is UTC-4, standard time UTC-5; the instants below are computed by hand.
@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        # Wednesday at noon EST: 21:00 is 02:00 UTC, 05:00 is 10:00 UTC.
        (
            "2026-11-18T17:00:00",
            10.0,
            [
                ("2026-11-19T02:00:00", "2026-11-19T10:00:00"),
                ("2026-11-20T02:00:00", "2026-11-20T04:00:00"),
            ],
        ),
        # In the night already: the rest of it comes first.
        (
            "2026-11-19T08:00:00",
            3.0,
            [
                ("2026-11-19T08:00:00", "2026-11-19T10:00:00"),
                ("2026-11-20T02:00:00", "2026-11-20T03:00:00"),
            ],
        ),
        # The weekend of 2026-11-01 begins in daylight time and ends in standard time: 57 hours.
        (
            "2026-10-30T20:00:00",
            60.0,
            [
                ("2026-10-31T01:00:00", "2026-11-02T10:00:00"),
                ("2026-11-03T02:00:00", "2026-11-03T05:00:00"),
            ],
        ),
        # The weekend of 2027-03-14 begins in standard time and ends in daylight time: 55 hours.
        (
            "2027-03-12T20:00:00",
            60.0,
            [
                ("2027-03-13T02:00:00", "2027-03-15T09:00:00"),
                ("2027-03-16T01:00:00", "2027-03-16T06:00:00"),
            ],
        ),
    ],
)
def test_nights_have_the_clock_times_of_ncbi(
    start: str, hours: float, expected: list[tuple[str, str]]
) -> None:
    found = nights(course(hours), utc(start), bound=True)
    assert [(one.begin, one.end) for one in found] == [(utc(a), utc(b)) for a, b in expected]
    assert sum(one.requests for one in found) == round(hours * 36_000)
    for one in found:
        real = (one.end.astimezone(UTC) - one.begin.astimezone(UTC)).total_seconds()
        assert one.requests == pytest.approx(real * 10, abs=2)


def test_weekend_ends_on_monday_morning_by_the_wall_clock() -> None:
    found = nights(course(100.0), utc("2026-10-30T20:00:00"), bound=True)
    assert f"{found[0].begin:%a %H:%M %Z}" == "Fri 21:00 EDT"
    assert f"{found[0].end:%a %H:%M %Z}" == "Mon 05:00 EST"


def test_unbound_harvest_has_one_night_from_now_on() -> None:
    start = utc("2026-11-18T17:00:00")
    [one] = nights(course(30.0), start, bound=False)
    assert (one.begin, one.end) == (start, start + timedelta(hours=30))


def test_passes_follow_one_another_and_a_slow_source_stretches_them() -> None:
    one = Forecast(1000, 100.0, 200, 10.0, [0.0])
    both = Course([one, one], least_seconds=400.0)
    assert (both.requests, both.seconds) == (2000, 400.0)
    assert both.sent_by(200.0) == pytest.approx(1000, abs=2)
    assert both.sent_by(400.0) == 2000


def test_engine_ends_when_the_nights_end() -> None:
    """The engine stops at the end of the hours and completes in the next night, as planned."""
    start = datetime(2026, 11, 19, 4, 50, tzinfo=EASTERN)  # ten minutes before the hours end
    clocks: list[FakeClock] = []

    def hours() -> Hours:
        clocks.append(FakeClock(start))
        return Hours(bound=True, clock=clocks[0])

    run = simulated_night(600_000, 3.0, hours=hours, batch_size=200)
    planned = nights(
        Course([forecast(600_000, 3.0, timeout=60.0, batch_size=200, concurrency="auto")]),
        start,
        bound=True,
    )
    real_end = start.astimezone(UTC) + timedelta(seconds=run.seconds)
    first = sum(at < 600 for at in run.sent_at)
    assert [one.requests for one in planned] == pytest.approx([first, 3000 - first], abs=10)
    begun = planned[1].begin.astimezone(UTC)
    assert begun == utc("2026-11-20T02:00:00")
    planned_end = planned[1].end.astimezone(UTC)
    assert (planned_end - begun) / (real_end - begun) == pytest.approx(1.0, rel=0.05)
