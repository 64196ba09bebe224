"""Refresh: request UIDs whose answer is old, and replace the old answers.

A refresh requests its UIDs once. UIDs whose new answer lacks a link of the old one are requested a
second time after all others, because NCBI sometimes drops links silently: a link is removed only if
both readings lack it. The results are kept apart until all UIDs are done, and then replace the old
answers in one transaction. A UID without a new answer keeps its old one whole.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.eutils.elink.commands import COMMANDS
from harvester.job.groups import STDOUT
from harvester.model import uids
from harvester.model.outcomes import ANSWERED, Outcome
from harvester.runs.readings import Readings
from harvester.store.state_reader import CONFIRMED, REFRESHED, Settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.job.model import Job
    from harvester.model.uids import UidSet
    from harvester.store.ledger import Ledger
    from harvester.store.state_reader import Part, Refresh

_DAY = 86_400_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The result of a refresh.

    Attributes:
        uids: number of UIDs requested again.
        unanswered: number of them without a new answer, which keep their old one.
        added: number of new links.
        removed: number of removed links.
    """

    uids: int
    unanswered: int
    added: int
    removed: int


def check_refreshable(job: Job, days: float) -> None:
    """Check that the answers of a job can be replaced UID by UID.

    Args:
        job: the job.
        days: age of the answers that are to be replaced.

    Raises:
        BadInput: they cannot; says what to do.
    """
    out, link = job.output.path, job.link
    if not days >= 0:
        raise BadInput(f"refresh: {days:g} is not a number of days; give 0 or more.")
    if out == STDOUT:
        raise BadInput("A refresh needs a folder (--out); nothing is kept of a run into a pipe.")
    if job.hop:
        raise BadInput(
            f"A chain is refreshed hop by hop: harvester resume {out}/hop-1 --refresh DAYS, then "
            f"harvester resume {out}"
        )
    if link.repeat > 1:
        raise BadInput(
            "Rounds (repeat) follow from the links, so they cannot be refreshed. "
            "Harvest into a new folder."
        )
    if not COMMANDS[link.cmd].key or link.targets_only:
        what = "targets_only" if link.targets_only else f"cmd {link.cmd}"
        raise BadInput(
            f"With {what} the answers are sets, not links of single UIDs, so they cannot be "
            "refreshed. Harvest into a new folder."
        )


def cutoff(days: float) -> int:
    """Return the time before which an answer is older than some days, in ms since 1970."""
    return _now() - math.ceil(min(days, 1e6) * _DAY)


class Refresher:
    """The refresh of one harvest.

    Args:
        ledger: the harvest's folder.
        job: what is harvested.
        before: request again UIDs answered before this time, in ms since 1970; None only
            completes a refresh that has begun.

    Attributes:
        result: its result; None before `finish`.
    """

    def __init__(self, ledger: Ledger, job: Job, before: int | None) -> None:
        self._state = ledger.state
        self._ledger = ledger
        self._before = before
        self._reads_all_twice = job.limits.passes > 1
        self._readings = Readings(ledger, job.link.cmd)
        self.result: Refreshed | None = None
        self._just_done = uids.as_set()
        self._unconfirmed: UidSet | None = None

    def expected(self) -> int:
        """Return the number of UIDs to ask for again, the second reading apart."""
        refresh = self._state.refresh()
        left = uids.as_set() if refresh is None else refresh.uids - self._state.done(REFRESHED)
        return len(left | self._stale())

    def begin(self) -> bool:
        """Return whether a refresh is to be continued or begun; record it."""
        if self._state.refresh() is None:
            if not (stale := self._stale()):
                return False
            self._state.begin_refresh(stale, _now())
        return True

    def asked(self, number: int) -> UidSet:
        """Return the UIDs that a reading, REFRESHED or CONFIRMED, requests."""
        if number == REFRESHED:
            return self._refresh().uids
        answered = _answered(self._state.settled(REFRESHED))
        return answered if self._reads_all_twice else self._to_confirm(answered)

    def finish(self) -> None:
        """Replace the old answers by the new ones, in one transaction.

        Raises:
            FolderError: a part is not as it was committed.
        """
        state, refresh, readings = self._state, self._refresh(), self._readings
        first = state.settled(REFRESHED)
        answered = _answered(first)
        doubt = self._to_confirm(answered)
        renewed = (answered - doubt) | (doubt & _answered(state.settled(CONFIRMED)))
        old = [*readings.touched("links", renewed), *readings.touched("uids", renewed)]
        old += state.parts("refreshed", "confirmed")
        self._ledger.parts.check(old)
        new: list[Part] = [*readings.rest(old, renewed)]
        linked = uids.as_set()
        added = removed = 0
        for piece in readings.merged(renewed):
            new += piece.parts
            linked |= piece.linked
            added, removed = added + piece.added, removed + piece.removed
        unanswered = uids.union(one.uids for one in state.unanswered())
        settled = [
            Settled(Outcome.LINKED, linked),
            Settled(Outcome.EMPTY, renewed - linked),
            *(
                Settled(one.outcome, one.uids & unanswered, one.reason)
                for one in first
                if one.outcome not in ANSWERED
            ),
        ]
        self.result = Refreshed(len(refresh.uids), len(refresh.uids - renewed), added, removed)
        state.renew(
            old_parts=old,
            new_parts=new,
            settled=[one for one in settled if one.uids],
            meta={"refreshed": json.dumps(asdict(self.result) | {"at": refresh.at})},
        )
        self._ledger.parts.delete(old)
        if refresh.at >= _now() - _DAY:
            self._just_done |= refresh.uids
        self._before = None if refresh.at >= (self._before or 0) else self._before
        self._unconfirmed = None

    def _refresh(self) -> Refresh:
        refresh = self._state.refresh()
        assert refresh is not None
        return refresh

    def _stale(self) -> UidSet:
        """Return the UIDs whose answer is too old, except those of a refresh just ended."""
        if self._before is None:
            return uids.as_set()
        times = self._state.settled_at()
        return uids.union(one.uids for one in times if one.at < self._before) - self._just_done

    def _to_confirm(self, answered: UidSet) -> UidSet:
        """Return the UIDs whose first reading lacks a link of the old answer."""
        if self._unconfirmed is None:
            self._unconfirmed = self._readings.with_losses(answered)
        return self._unconfirmed


def _answered(settled: Sequence[Settled]) -> UidSet:
    return uids.union(one.uids for one in settled if one.outcome in ANSWERED)


def _now() -> int:
    return time.time_ns() // 1_000_000
