"""NCBI's hours for large jobs; plain functions of a given time.

"Limit large jobs to either weekends or between 9:00 PM and 5:00 AM Eastern time during
weekdays" (Entrez Programming Utilities Help, NBK25497). The text names no zone but "Eastern
time", which follows daylight saving: America/New_York. The window is therefore open except on
Monday to Friday from 05:00 to 21:00 local time there; both changes fall on a Sunday at 02:00,
within the weekend, and every bound is computed on the wall clock of its own day.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_CLOSES, _OPENS = time(5), time(21)
_SATURDAY = 5


def is_open(at: datetime) -> bool:
    """Whether large jobs may run at this moment (an aware time of any zone)."""
    local = at.astimezone(EASTERN)
    return local.weekday() >= _SATURDAY or not _CLOSES <= local.time() < _OPENS


def opens_at(at: datetime) -> datetime:
    """The next moment, `at` included, at which large jobs may run, in Eastern time."""
    local = at.astimezone(EASTERN)
    if is_open(local):
        return local
    return datetime.combine(local.date(), _OPENS, EASTERN)


def closes_at(at: datetime) -> datetime:
    """The next moment, `at` included, at which large jobs must pause, in Eastern time."""
    local = at.astimezone(EASTERN)
    if not is_open(local):
        return local
    for days in range(4):  # from Saturday 00:00 it is two days to Monday 05:00
        close = datetime.combine(local.date() + timedelta(days), _CLOSES, EASTERN)
        if close.weekday() < _SATURDAY and close.astimezone(UTC) > at:
            return close
    raise AssertionError("a weekday comes within three days")
