"""How a run is put into words, for every display."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harvester import events


def opening(event: events.RunStarted) -> str:
    """What is about to be done, in a sentence."""
    left = event.total - event.done
    pace = f"at {event.rate:g} requests a second."
    if event.growing:
        about = f"About {left:,} UIDs" if left > 0 else "UIDs"
        return f"{about} to ask {event.server} for as they come in, {pace}"
    if not left:
        return f"All {event.total:,} UIDs are done; nothing is left to ask."
    before = f" ({event.done:,} are done)" if event.done else ""
    again = f"Sweep {event.sweep} of {event.sweeps}: " if event.sweeps > 1 else ""
    return f"{again}{left:,} UIDs to ask {event.server} for{before}, {pace}"


def line(tally: events.Tally) -> str:
    """How far a run is, in a line."""
    share = 100 * tally.done / tally.total if tally.total else 100.0
    eta = tally.eta_seconds
    left = f", {duration(eta)} left" if eta else ""
    return (
        f"{tally.done:,} of {tally.total:,} UIDs ({share:.1f} %), {tally.links:,} links, "
        f"{tally.achieved:.1f} of {tally.rate:g} requests/s, {tally.in_flight} in flight, "
        f"{tally.retried:,} retried{left}"
    )


def duration(seconds: float) -> str:
    """A time span as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
