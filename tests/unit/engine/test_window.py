"""NCBI's hours, compared with Eastern time by arithmetic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import eastern_time as eastern

from harvester.engine.off_peak import closes_at, is_open, opens_at

MINUTE = timedelta(minutes=1)
EDT, EST = timezone(timedelta(hours=-4)), timezone(timedelta(hours=-5))
_MOMENTS = st.integers(0, 31 * 365 * 86_400_000_000).map(
    lambda passed: datetime(2007, 1, 5, tzinfo=UTC) + timedelta(microseconds=passed)
)


@pytest.mark.parametrize("year", eastern.CHANGES)
def test_the_rule_gives_the_published_dates(year: int) -> None:
    """The arithmetic of these tests is itself checked by published dates."""
    assert (eastern.begins(year).date(), eastern.ends(year).date()) == eastern.CHANGES[year]


@pytest.mark.parametrize(
    ("at", "permitted"),
    [
        (datetime(2026, 7, 3, 4, 59, 59, 999_999, EDT), True),  # a Friday
        (datetime(2026, 7, 3, 5, 0, tzinfo=EDT), False),
        (datetime(2026, 7, 3, 12, 0, tzinfo=EDT), False),
        (datetime(2026, 7, 3, 20, 59, 59, 999_999, EDT), False),
        (datetime(2026, 7, 3, 21, 0, tzinfo=EDT), True),
        (datetime(2026, 7, 4, 12, 0, tzinfo=EDT), True),  # Saturday
        (datetime(2026, 7, 5, 12, 0, tzinfo=EDT), True),  # Sunday
        (datetime(2026, 7, 5, 23, 59, 59, 999_999, EDT), True),
        (datetime(2026, 7, 6, 4, 59, tzinfo=EDT), True),  # Monday
        (datetime(2026, 7, 6, 5, 0, tzinfo=EDT), False),
        (datetime(2026, 1, 7, 4, 59, tzinfo=EST), True),  # a Wednesday in winter
        (datetime(2026, 1, 7, 5, 0, tzinfo=EST), False),
        (datetime(2026, 1, 7, 21, 0, tzinfo=EST), True),
        (datetime(2026, 7, 8, 1, 0, tzinfo=UTC), True),  # Tuesday 21:00 EDT
        (datetime(2026, 7, 8, 0, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 7, 2, 0, tzinfo=UTC), True),  # Tuesday 21:00 EST
        (datetime(2026, 1, 7, 1, 59, tzinfo=UTC), False),
    ],
)
def test_bounds(at: datetime, permitted: bool) -> None:
    assert is_open(at) is permitted


def _by_the_minute(year: int, which: int) -> list[datetime]:
    """Yield every minute of nine days around one change, from Thursday before to Saturday after."""
    day = eastern.CHANGES[year][which]
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=3)
    return [first + minute * MINUTE for minute in range(9 * 24 * 60)]


@pytest.mark.parametrize("which", [0, 1], ids=["spring", "autumn"])
@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_every_minute_around_both_changes(year: int, which: int) -> None:
    moments = _by_the_minute(year, which)
    found = [is_open(at) for at in moments]
    assert found == [eastern.permitted(at) for at in moments]
    assert set(found) == {True, False}


@pytest.mark.parametrize("which", [0, 1], ids=["spring", "autumn"])
@pytest.mark.parametrize("year", [2025, 2026])
def test_opening_and_closing_times_are_the_next_ones_that_a_scan_finds(
    year: int, which: int
) -> None:
    """The scan goes backwards by the minute; all true bounds are whole minutes."""
    opens: datetime | None = None
    closes: datetime | None = None
    compared = 0
    for number, at in enumerate(reversed(_by_the_minute(year, which))):
        if eastern.permitted(at):
            opens = at
        else:
            closes = at
        if number % 7 == 0 and opens and closes:
            # In UTC: Python calls two times of different zones unequal in the hour that repeats.
            assert opens_at(at).astimezone(UTC) == opens
            assert closes_at(at).astimezone(UTC) == closes
            compared += 1
    assert compared > 1000


@pytest.mark.parametrize(
    ("at", "closes"),
    [
        # The night of a change has an hour less or more, but ends at 05:00 by the clock.
        (datetime(2026, 3, 6, 21, 0, tzinfo=EST), datetime(2026, 3, 9, 9, 0, tzinfo=UTC)),
        (datetime(2026, 10, 30, 21, 0, tzinfo=EDT), datetime(2026, 11, 2, 10, 0, tzinfo=UTC)),
        (datetime(2026, 7, 7, 21, 0, tzinfo=EDT), datetime(2026, 7, 8, 9, 0, tzinfo=UTC)),
        (datetime(2026, 7, 8, 0, 30, tzinfo=EDT), datetime(2026, 7, 8, 9, 0, tzinfo=UTC)),
        (datetime(2026, 7, 4, 0, 0, tzinfo=EDT), datetime(2026, 7, 6, 9, 0, tzinfo=UTC)),
    ],
)
def test_closing_times(at: datetime, closes: datetime) -> None:
    assert closes_at(at) == closes


def test_times_are_given_as_eastern_clocks_show_them() -> None:
    opens = opens_at(datetime(2026, 3, 10, 16, 0, tzinfo=UTC))
    assert opens.isoformat() == "2026-03-10T21:00:00-04:00"
    closes = closes_at(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    assert closes.isoformat() == "2026-11-02T05:00:00-05:00"


@given(_MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_any_moment_of_thirty_years_in_any_zone(at: datetime, minutes: int) -> None:
    there = at.astimezone(timezone(timedelta(minutes=minutes)))
    assert is_open(there) is eastern.permitted(at)


@given(_MOMENTS)
def test_next_opening_and_closing_hold_together(at: datetime) -> None:
    opens, closes = opens_at(at).astimezone(UTC), closes_at(at).astimezone(UTC)
    tick = timedelta(microseconds=1)
    assert eastern.permitted(opens)
    assert not eastern.permitted(closes)
    if eastern.permitted(at):
        assert opens == at
        assert at < closes <= at + timedelta(hours=57)  # Friday 21:00 to Monday 05:00, and one
        assert eastern.permitted(closes - tick)
    else:
        assert closes == at
        assert at < opens <= at + timedelta(hours=16)
        assert not eastern.permitted(opens - tick)


def test_the_old_rule_of_2006_is_known_too() -> None:
    """Until 2006 daylight saving began on the first Sunday of April: 3 April 2006 is a Monday in
    it.
    """
    assert date(2006, 4, 3).weekday() == 0
    assert is_open(datetime(2006, 4, 3, 8, 59, tzinfo=UTC))
    assert not is_open(datetime(2006, 4, 3, 9, 0, tzinfo=UTC))
    assert is_open(datetime(2006, 3, 31, 9, 59, tzinfo=UTC))
