"""Eastern time by arithmetic from the law, without zone files.

The Energy Policy Act of 2005 (since 2007): daylight saving runs from the second Sunday of March
to the first Sunday of November, both at 02:00 local time, which is 07:00 and 06:00 UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

# As published for each year (timeanddate.com, New York): begin and end of daylight saving.
CHANGES = {
    2019: (date(2019, 3, 10), date(2019, 11, 3)),
    2023: (date(2023, 3, 12), date(2023, 11, 5)),
    2024: (date(2024, 3, 10), date(2024, 11, 3)),
    2025: (date(2025, 3, 9), date(2025, 11, 2)),
    2026: (date(2026, 3, 8), date(2026, 11, 1)),
    2027: (date(2027, 3, 14), date(2027, 11, 7)),
    2030: (date(2030, 3, 10), date(2030, 11, 3)),
}


def sunday(year: int, month: int, which: int) -> date:
    """Return the first, second, … Sunday of a month."""
    first = date(year, month, 1)
    return first + timedelta((6 - first.weekday()) % 7 + 7 * (which - 1))


def begins(year: int) -> datetime:
    """Return when daylight saving begins, in UTC."""
    day = sunday(year, 3, 2)
    return datetime(day.year, day.month, day.day, 7, tzinfo=UTC)


def ends(year: int) -> datetime:
    """Return when daylight saving ends, in UTC."""
    day = sunday(year, 11, 1)
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC)


def wall(at: datetime) -> datetime:
    """Return the wall-clock time in New York at an aware time, as a naive one."""
    utc = at.astimezone(UTC)
    summer = begins(utc.year) <= utc < ends(utc.year)
    return utc.replace(tzinfo=None) - timedelta(hours=4 if summer else 5)


def permitted(at: datetime) -> bool:
    """Return whether a time is on a weekend, or from 21:00 to 05:00 on a weekday."""
    shown = wall(at)
    return shown.weekday() in (5, 6) or shown.hour >= 21 or shown.hour < 5
