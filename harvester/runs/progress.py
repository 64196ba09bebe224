"""The progress of a run, kept in the state for other processes to read."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harvester import wording
from harvester.store.status import COUNTS

if TYPE_CHECKING:
    from harvester.events import Tally
    from harvester.runs.timeline import TimelineRecorder


class Progress:
    """Progress of a run, and regular copies of its timeline, as values of the state.

    Args:
        tally: counts of the run.
        timeline: records the run.
        before: the progress of the run before, whose counts of requests go on.
        rate: requests per second permitted.

    Attributes:
        state: as `status` reports it.
    """

    def __init__(
        self, tally: Tally, timeline: TimelineRecorder, before: dict[str, Any], rate: float
    ) -> None:
        self._tally = tally
        self._timeline = timeline
        self._before = before.get("requests", {})
        self._rate = rate
        self._started_at = _now()
        self.state = "running"

    def __call__(self) -> dict[str, str]:
        """Return the current `progress`; with a commit or after some seconds, also `timeline`."""
        timeline = self._timeline.copy()
        return {"progress": self._text()} | ({} if timeline is None else {"timeline": timeline})

    def end(self, state: str) -> None:
        """Record how the run ended."""
        self.state = state
        self._timeline.end(state)

    def _text(self) -> str:
        tally = self._tally
        waiting = tally.waiting if self.state == "running" else None
        return json.dumps(
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "state": "waiting" if waiting else self.state,
                "waiting": wording.waiting(waiting) if waiting else None,
                "sweep": {"number": tally.pass_number, "of": tally.passes, "done": tally.done},
                "requests": {key: self._before.get(key, 0) + getattr(tally, key) for key in COUNTS},
                "rate": {"limit": self._rate, "achieved": round(tally.achieved, 3)},
                "limited_by": tally.limited_by,
                "slowed": tally.slowed,
                "eta_seconds": None if (eta := tally.eta_seconds) is None else round(eta, 1),
                "started_at": self._started_at,
                "updated_at": _now(),
            }
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
