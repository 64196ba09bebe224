"""Whether a job may ask now, by NCBI's hours and the job's `window`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harvester.engine import window

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.job.model import Job

SMALL_JOB_REQUESTS = 100
"""NCBI asks "large jobs" to keep its hours and gives no number today; Biopython's tutorial hands
down the older wording, "any series of more than 100 requests"."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Hours:
    """When to ask.

    Attributes:
        bound: whether NCBI's hours are kept at all.
        leave: leave at the end of the hours, rather than wait for the next.
        clock: gives the time, aware.
    """

    bound: bool
    leave: bool = False
    clock: Callable[[], datetime] = utc_now

    @classmethod
    def of(cls, job: Job, requests: float, clock: Callable[[], datetime] = utc_now) -> Hours:
        """The hours of a job that still needs about so many requests."""
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
        """Whether asking must wait now."""
        return self.bound and not window.is_open(self.clock())

    def opens_at(self) -> datetime:
        """The next time to ask, in Eastern time."""
        return window.opens_at(self.clock())

    def ends_at(self) -> datetime | None:
        """When asking must pause, in Eastern time; None where it need not, or pauses now."""
        return window.closes_at(self.clock()) if self.bound and not self.closed else None

    def why(self) -> str:
        """What a user reads while waiting: until when, here and there, and how to override."""
        there = self.opens_at()
        here = there.astimezone()
        return (
            f"Waiting for NCBI's off-peak hours until {here:%a %H:%M %Z} "
            f"({there:%a %H:%M} Eastern time); --window always asks now."
        )
