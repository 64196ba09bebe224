"""The sweeps of a harvest: each asks for every UID that it has no outcome for yet.

The first makes the harvest; what later ones find is united with it. Sets say what is left: after
any stop, with a longer list, or with more passes than last time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harvester import events
from harvester.engine.batch_size import requests_for
from harvester.engine.off_peak import Hours
from harvester.errors import HarvestError
from harvester.runs.drive import drive, make_engine
from harvester.store.committer import Committer
from harvester.store.compaction import merge_small_parts
from harvester.store.passes.merge_pass import merge_pass
from harvester.store.status import Progress, end_state
from harvester.store.unanswered import write_unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from harvester.client.client import Client
    from harvester.engine.engine import Engine
    from harvester.engine.stop import Stop
    from harvester.eutils.question import Question
    from harvester.job.model import Job
    from harvester.model.uids import UidSet
    from harvester.sources.feed import Feed
    from harvester.store.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeps:
    """Brings a folder to its end.

    Attributes:
        job: what to harvest.
        client: asks.
        question: what to ask.
        ledger: the folder, with the UIDs that are known.
        listeners: told of every event.
        stop: ends everything when asked to.
        feed: brings more UIDs, in the first sweep; None where all are known.
        committed: told of the links of each commit.
    """

    job: Job
    client: Client
    question: Question
    ledger: Ledger
    listeners: Sequence[events.Listener]
    stop: Stop
    feed: Feed | None = None
    committed: Callable[[pa.Table], None] | None = None

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
        committer = Committer(self.ledger, emit, progress, self.committed)
        ended: HarvestError | None = None
        try:
            ended = await self._ask_all(committer, emit)
            progress.state = "interrupted" if ended else end_state(state.outcomes())
            if ended is None:  # whoever was asked to stop should not keep others waiting
                await committer.in_thread(partial(merge_small_parts, self.ledger))
            await committer.in_thread(partial(write_unanswered, self.ledger))
            await committer.report()
        finally:
            committer.close()
            emit(events.RunEnded(progress.state))
        if ended is not None:
            raise ended

    async def _ask_all(self, committer: Committer, emit: events.Listener) -> HarvestError | None:
        """One sweep after the other; why they ended before their end, if they did."""
        passes, state, size = self.job.limits.passes, self.ledger.state, self.job.limits.batch_size
        left = [len(self.ledger.input.wanted - state.done(sweep)) for sweep in range(1, passes + 1)]
        coming = self.feed.expected * passes if self.feed else 0
        hours = Hours.of(self.job, requests_for(sum(left) + coming, size))
        if not any(left) and not self.feed:
            emit(self._start(passes, hours))
        for sweep in range(1, passes + 1):
            committer.pass_number = sweep
            todo = self.ledger.input.wanted - state.done(sweep)
            feed = self.feed if sweep == 1 else None
            if todo or feed:
                emit(self._start(sweep, hours, feed))
                await committer.report()
                ended = await self._ask(todo, feed, committer, emit, hours)
                lost = len(self.ledger.input.wanted - state.done(sweep))
                if lost and ended is None:
                    ended = HarvestError(
                        f"{lost} UIDs have no outcome yet: resume, and please report it."
                    )
                if ended is not None:
                    return ended
            if sweep > 1:
                await committer.in_thread(partial(merge_pass, self.ledger, sweep))
        return None

    async def _ask(
        self,
        todo: UidSet,
        feed: Feed | None,
        committer: Committer,
        emit: events.Listener,
        hours: Hours,
    ) -> HarvestError | None:
        engine = make_engine(
            self.job,
            self.client,
            self.question,
            todo,
            deliver=committer.add,
            full=lambda: committer.full,
            emit=emit,
            known=self.ledger.state.answered(),
            hours=hours,
            fed=feed is None,
        )
        feeding = None if feed is None else self._pass_on(feed, engine, committer, emit)
        with self.stop.of(engine):
            return await drive(engine, committer, feeding)

    async def _pass_on(
        self, feed: Feed, engine: Engine, committer: Committer, emit: events.Listener
    ) -> None:
        """What is new of a feed, to the ledger and to the engine."""
        async for listed in feed.blocks():
            new = self.ledger.input.add(listed)
            if new:
                emit(events.InputGrew(len(self.ledger.input.wanted)))
                engine.feed(new)
        await committer.in_thread(self.ledger.input.end)

    def _start(self, sweep: int, hours: Hours, feed: Feed | None = None) -> events.RunStarted:
        outcomes = self.ledger.state.outcomes(sweep)
        return events.RunStarted(
            total=max(len(self.ledger.input.wanted), feed.expected if feed else 0),
            done=sum(outcomes.values()),
            outcomes=outcomes,
            links=self.ledger.state.links() if sweep == 1 else 0,
            rate=self.client.rate,
            server=urlsplit(self.job.server.base_url).netloc,
            hours_end=hours.ends_at(),
            sweep=sweep,
            sweeps=self.job.limits.passes,
            growing=feed is not None,
        )
