"""NCBI's off-peak hours, and whether a job may send requests now.

"Limit large jobs to either weekends or between 9:00 PM and 5:00 AM Eastern time during
weekdays" (Entrez Programming Utilities Help, NBK25497). The text names no zone but "Eastern
time", which follows daylight saving: America/New_York. The hours therefore exclude Monday to
Friday from 05:00 to 21:00 local time there. Both clock changes fall on a Sunday at 02:00, within
the weekend, and every bound is computed on the wall clock of its own day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.job.model import Job

EASTERN = ZoneInfo("America/New_York")

SMALL_JOB_REQUESTS = 100
"""Jobs with at most this many requests run at any time. NCBI gives no number today; Biopython's
tutorial quotes the older wording, "any series of more than 100 requests"."""

_CLOSES, _OPENS = time(5), time(21)
_SATURDAY = 5


def utc_now() -> datetime:
    """Return the wall-clock time."""
    return datetime.now(UTC)


def is_open(at: datetime) -> bool:
    """Return whether large jobs may run at this moment (an aware time in any zone)."""
    local = at.astimezone(EASTERN)
    return local.weekday() >= _SATURDAY or not _CLOSES <= local.time() < _OPENS


def opens_at(at: datetime) -> datetime:
    """Return the next moment from `at` on at which large jobs may run, in Eastern time."""
    local = at.astimezone(EASTERN)
    if is_open(local):
        return local
    return datetime.combine(local.date(), _OPENS, EASTERN)


def closes_at(at: datetime) -> datetime:
    """Return the next moment from `at` on at which large jobs must pause, in Eastern time."""
    local = at.astimezone(EASTERN)
    if not is_open(local):
        return local
    for days in range(4):  # from Saturday 00:00 it is two days to Monday 05:00
        close = datetime.combine(local.date() + timedelta(days), _CLOSES, EASTERN)
        if close.weekday() < _SATURDAY and close.astimezone(UTC) > at:
            return close
    raise AssertionError("a weekday comes within three days")


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours in which one job sends requests.

    Attributes:
        bound: whether the job keeps NCBI's off-peak hours at all.
        leave: whether the run ends when the hours end, instead of waiting for the next.
        clock: returns the time, aware.
    """

    bound: bool = False
    leave: bool = False
    clock: Callable[[], datetime] = utc_now

    @classmethod
    def of(cls, job: Job, requests: float, clock: Callable[[], datetime] = utc_now) -> Hours:
        """Return the hours of a job that still needs about `requests` requests."""
        match job.limits.window:
            case "off-peak":
                bound = True
            case "auto":
                bound = job.server.is_ncbi and requests > SMALL_JOB_REQUESTS
            case "always":
                bound = False
        return cls(bound, job.limits.stop_at_window_end, clock)

    @property
    def closed(self) -> bool:
        """True if no request may be sent now."""
        return self.bound and not is_open(self.clock())

    def opens_at(self) -> datetime:
        """Return the next time at which requests may be sent, in Eastern time."""
        return opens_at(self.clock())

    def ends_at(self) -> datetime | None:
        """Return when requests must pause, in Eastern time; None if never, or if closed now."""
        return closes_at(self.clock()) if self.bound and not self.closed else None
