"""Sentences for the events of a run, shared by the display, the log and `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from harvester import events

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_LIMITS: dict[events.Limit | events.WaitCause, str] = {
    "rate": "at the permitted rate",
    "server": "limited by the server",
    "disk": "limited by the disk",
    "concurrency": "limited by --concurrency",
    "hours": "waiting for off-peak hours",
    "outage": "waiting for the server",
    "limiter": "waiting for the shared rate limit",
}

EASTERN = ZoneInfo("America/New_York")
"""The zone of NCBI's off-peak hours (NBK25497)."""


def sentence(event: events.Event) -> str | None:
    """Return an event as a sentence for a log; None if the log does not need it."""
    match event:
        case events.RunStarted():
            return opening(event)
        case events.Warned():
            return event.text
        case events.Waiting():
            return waiting(event)
        case events.Resumed():
            return "Sending requests again."
        case events.BatchRetried():
            return retried(event)
    return None


def opening(event: events.RunStarted) -> str:
    """Return what a pass is about to request."""
    left = event.total - event.done
    pace = f"at {event.rate:g} requests per second."
    if event.growing:
        about = f"About {count(left, 'UID')}" if left > 0 else "UIDs"
        return f"{about} to request from {event.server} as they arrive, {pace}"
    if not left:
        done = "The UID is" if event.total == 1 else f"All {event.total:,} UIDs are"
        return f"{done} done; nothing is left to request."
    before = f" ({event.done:,} are done)" if event.done else ""
    again = f"Pass {event.pass_number} of {event.passes}: " if event.passes > 1 else ""
    if event.round:
        again = f"Round {event.round}: "
    if event.refresh:
        what = (
            "Refresh"
            if event.pass_number == 1
            else "Refresh, second reading of UIDs that lost links"
        )
        again = f"{what}: "
    return f"{again}{count(left, 'UID')} to request from {event.server}{before}, {pace}"


def line(tally: events.Tally) -> str:
    """Return the progress of a run as one line."""
    share = 100 * tally.done / tally.total if tally.total else 100.0
    eta = tally.eta_seconds
    left = f", {duration(eta)} left" if eta else ""
    limit = limited_by(tally.limited_by, tally.others, slowed=tally.slowed)
    return (
        f"{tally.done:,} of {count(tally.total, 'UID')} ({share:.1f} %), "
        f"{count(tally.links, 'link')}, "
        f"{tally.achieved:.1f} of {tally.rate:g} requests/s, {tally.in_flight} in flight, "
        f"{tally.retried:,} retried, {limit}{left}"
    )


def ended(event: events.RunEnded, tally: events.Tally) -> str:
    """Return how a run ended, as one line."""
    return f"{event.state}: {line(tally)}"


def limited_by(
    limit: events.Limit | events.WaitCause, others: int = 0, *, slowed: bool = False
) -> str:
    """Return the cause that limits a harvest, in words.

    Args:
        limit: what limits it.
        others: other processes that share the rate limit.
        slowed: whether the permitted rate is lower than the job's, after status 429.
    """
    said = _LIMITS[limit]
    if limit == "rate":
        said += ", lowered by status 429" if slowed else ""
        said += f", shared with {count(others, 'other harvest')}" if others else ""
    return said


def duration(seconds: float) -> str:
    """Return a time span as `1 h 05 min`, `3 min 20 s` or `7 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def waiting(event: events.Waiting) -> str:
    """Return why and until when no request is sent."""
    if event.cause == "hours":
        return off_peak(event.until)
    if event.cause == "limiter":
        return (
            f"The shared rate limit is not answering ({event.reason}); no request is sent until it "
            "does."
        )
    return f"The server is not answering ({event.reason}); next try in {event.retry_in:.0f} s."


def off_peak(opens_at: datetime) -> str:
    """Return when NCBI's off-peak hours begin, in local and Eastern time, and how to override."""
    return (
        f"Waiting for NCBI's off-peak hours until {_in_both_zones(opens_at)}. "
        f"Use --window always to start now."
    )


def for_python(text: str) -> str:
    """Return a sentence with the key of a job in place of the option of the command."""
    return text.replace("Use --window always", 'Set limits.window to "always"')


def window_closed(opens_at: datetime) -> str:
    """Return that a run ends with NCBI's off-peak hours, and when they begin again."""
    return (
        f"Window closed: NCBI's off-peak hours are over until {_in_both_zones(opens_at)}. "
        f"Use --window always to go on now."
    )


def _in_both_zones(at: datetime) -> str:
    here, there = at.astimezone(), at.astimezone(EASTERN)
    return f"{here:%a %H:%M %Z} ({there:%a %H:%M} Eastern time)"


def no_longer_listed(uids: int, folder: Path) -> str:
    """Return how many UIDs of a harvest a later list lacks, and that they stay."""
    are, their = ("is", "its") if uids == 1 else ("are", "their")
    return (
        f"{count(uids, 'UID')} of {folder} {are} no longer in the input; {their} links and "
        f"outcomes stay in the harvest."
    )


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 UID`, `2 UIDs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def retried(event: events.BatchRetried) -> str:
    """Return how many UIDs are sent again, when and why."""
    return f"{count(event.uids, 'UID')} again in {event.delay:.1f} s: {event.reason}"


def read(event: events.ReadProgress) -> str:
    """Return how much of the files of a harvest was read."""
    share = 100 * event.done / event.total if event.total else 100.0
    return f"{event.done:,} of {count(event.total, event.noun)} read ({share:.0f} %)"
