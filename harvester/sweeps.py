"""The sweeps of a harvest: each asks for every UID that it has no outcome for yet.

The first makes the harvest; what later ones find is united with it. Sets say what is left: after
any stop, with a longer list, or with more passes than last time.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harvester import events
from harvester.assembly import drive, make_engine
from harvester.committer import Committer
from harvester.errors import HarvestError
from harvester.hours import Hours
from harvester.signals import heeded
from harvester.sizing import requests_for
from harvester.status import Progress, end_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.client import Client
    from harvester.job import Job
    from harvester.ledger import Ledger
    from harvester.uids import UidSet


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Brings a folder to its end.

    Attributes:
        job: what to harvest.
        client: asks.
        ledger: the folder.
        wanted: the input UIDs.
        listeners: told of every event.
        signals: heed SIGINT and SIGTERM while asking.
    """

    job: Job
    client: Client
    ledger: Ledger
    wanted: UidSet
    listeners: Sequence[events.Listener]
    signals: bool

    async def run(self) -> None:
        """Ask for what is not done yet, commit it, and bring the folder into its final form.

        Raises:
            OSError: the disk is full, or the folder is gone.
            HarvestError: the run ended before its end; what was answered is committed.
        """
        tally = events.Tally(time.monotonic)
        emit = events.to_all([tally, *self.listeners])
        state = self.ledger.state
        progress = Progress(tally, state.progress(), self.client.rate)
        committer = Committer(self.ledger, self.job.link.dbfrom, emit, progress)
        ended: HarvestError | None = None
        try:
            ended = await self._ask_all(committer, emit)
            progress.state = "interrupted" if ended else end_state(state.outcomes())
            if ended is None:  # whoever was asked to stop should not keep others waiting
                await committer.in_thread(self.ledger.merge)
            await committer.in_thread(self.ledger.write_unanswered)
            await committer.report()
        finally:
            committer.close()
            emit(events.RunEnded(progress.state))
        if ended is not None:
            raise ended

    async def _ask_all(self, committer: Committer, emit: events.Listener) -> HarvestError | None:
        """One sweep after the other; why they ended before their end, if they did."""
        passes, state = self.job.limits.passes, self.ledger.state
        todo = {sweep: self.wanted - state.done(sweep) for sweep in range(1, passes + 1)}
        size = self.job.limits.batch_size
        hours = Hours.of(self.job, sum(requests_for(len(left), size) for left in todo.values()))
        if not any(todo.values()):
            emit(self._start(passes, hours))
        for sweep, left in todo.items():
            committer.sweep = sweep
            if left:
                emit(self._start(sweep, hours))
                await committer.report()
                ended = await self._ask(left, committer, emit, hours)
                lost = len(self.wanted - state.done(sweep))
                if lost and ended is None:
                    ended = HarvestError(
                        f"{lost} UIDs have no outcome yet: resume, and please report it."
                    )
                if ended is not None:
                    return ended
            if sweep > 1:
                await committer.in_thread(partial(self.ledger.unite, sweep))
        return None

    async def _ask(
        self, todo: UidSet, committer: Committer, emit: events.Listener, hours: Hours
    ) -> HarvestError | None:
        engine = make_engine(
            self.job,
            self.client,
            todo,
            deliver=committer.add,
            full=lambda: committer.full,
            emit=emit,
            known=self.ledger.state.answered(),
            hours=hours,
        )
        with heeded(engine) if self.signals else nullcontext():
            return await drive(engine, committer)

    def _start(self, sweep: int, hours: Hours) -> events.RunStarted:
        outcomes = self.ledger.state.outcomes(sweep)
        return events.RunStarted(
            total=len(self.wanted),
            done=sum(outcomes.values()),
            outcomes=outcomes,
            links=self.ledger.state.links() if sweep == 1 else 0,
            rate=self.client.rate,
            server=urlsplit(self.job.server.base_url).netloc,
            hours_end=hours.ends_at(),
            sweep=sweep,
            sweeps=self.job.limits.passes,
        )
