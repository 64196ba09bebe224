"""The passes of a harvest: each requests every UID that has no outcome in it yet.

The first pass makes the harvest; the results of later ones are merged into it. The UIDs left follow
from set difference: after any stop, with a longer list, or with more passes than before.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harvester import events
from harvester.engine.batch_trials import requests_for
from harvester.engine.off_peak import Hours
from harvester.errors import FolderError, HarvestError
from harvester.job import ncbi
from harvester.runs.builds import database_builds
from harvester.runs.drive import drive, feed_engine, make_engine
from harvester.runs.leases import LeasedPass
from harvester.runs.progress import Progress
from harvester.runs.refresh import Refresher
from harvester.runs.rounds import Rounds
from harvester.runs.timeline import TimelineRecorder
from harvester.store.committer import Committer
from harvester.store.compaction import merge_small_parts
from harvester.store.contents import read_contents
from harvester.store.manifest import write_manifest
from harvester.store.passes.merge_pass import merge_pass
from harvester.store.state_reader import CONFIRMED, REFRESHED
from harvester.store.status import EXIT_CODES, end_state, sums
from harvester.store.timeline import Timeline
from harvester.store.unanswered import write_unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from harvester.client.client import Client
    from harvester.engine.engine import Engine
    from harvester.engine.stop import Stop
    from harvester.eutils.question import Question
    from harvester.job.model import Job
    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidSet
    from harvester.runs.leases import Pool
    from harvester.runs.refresh import Refreshed
    from harvester.sources.feed import Feed
    from harvester.store.ledger import Ledger


_NOT_SHARED = (
    "This run cannot keep the rate limit together with others: there is no home folder that can be "
    "written. Run one harvest at a time, or set XDG_STATE_HOME to a folder."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Completes a folder, pass by pass.

    Attributes:
        job: what to harvest.
        client: sends the requests.
        question: makes the requests.
        ledger: the folder, with the UIDs that are known.
        listeners: receive every event.
        stop: ends the passes early.
        feed: yields more UIDs during the first pass; None if all are known.
        committed: receives the links of each commit.
        refresh_before: request again UIDs answered before this time, in ms since 1970.
        inner: whether the folder is a lease of another harvest, and needs no final form.
        pool: other processes that request the UIDs; None: this one does.
    """

    job: Job
    client: Client
    question: Question
    ledger: Ledger
    listeners: Sequence[events.Listener]
    stop: Stop
    feed: Feed | None = None
    committed: Callable[[pa.Table], None] | None = None
    refresh_before: int | None = None
    inner: bool = False
    pool: Pool | None = None

    async def run(self) -> Refreshed | None:
        """Request what is not done yet, commit it, and bring the folder into its final form.

        Returns:
            The result of a refresh; None without one.

        Raises:
            OSError: the disk is full, or the folder is gone.
            HarvestError: the run ended early; what was answered is committed.
            CancelledError: what was answered is committed, as after an error of a listener.
        """
        tally = events.Tally(time.monotonic)
        state = self.ledger.state
        timeline = TimelineRecorder(state.timeline() or Timeline(), lambda: self.client.rate)
        emit = events.to_all([tally, timeline, *self.listeners])
        progress = Progress(tally, timeline, state.progress(), self.client.rate)
        rounds = Rounds(self.ledger, self.job.link) if self.job.link.repeat > 1 else None
        committer = Committer(self.ledger, emit, progress, self._committed(rounds))
        ended: HarvestError | None = None
        refresher = Refresher(self.ledger, self.job, self.refresh_before)
        if not self.client.shares_limit and self.client.rate <= ncbi.RATE_WITH_KEY:
            emit(events.Warned(_NOT_SHARED))
        try:
            if rounds is not None:
                ended = await self._run_rounds(rounds, committer, emit)
            else:
                ended = await self._run_all(refresher, committer, emit)
            progress.end("interrupted" if ended else end_state(state.outcomes()))
            if ended is None and not self.inner:  # a run that was asked to stop must end soon
                await committer.in_thread(partial(merge_small_parts, self.ledger))
            await self._write_ends(committer)
        except (asyncio.CancelledError, Exception) as error:
            ended = self.stop.reason or HarvestError(f"The run was left: {error!r}")
            progress.end("interrupted")
            if not isinstance(error, OSError | FolderError):  # the folder can be written
                await committer.commit()
                await self._write_ends(committer)
            raise
        else:
            if ended is None and not self.inner:
                await self._write_manifest(committer)
        finally:
            committer.close()
            emit(self._ended(progress.state, ended))
        if ended is not None:
            raise ended
        return refresher.result

    async def _write_ends(self, committer: Committer) -> None:
        """Write the files for readers of a run that has ended."""
        await committer.in_thread(partial(write_unanswered, self.ledger))
        await committer.report()

    async def _write_manifest(self, committer: Committer) -> None:
        """Write the manifest; a run that changed nothing sends no request for it."""
        builds = None
        if self.ledger.changed:
            contents = await committer.in_thread(partial(read_contents, self.ledger))
            linked = sums(one.databases for one in contents.values())
            named = [self.ledger.dbfrom, *self.job.link.db, *sorted(linked)]
            builds = await database_builds(self.client, dict.fromkeys(named))
        await committer.in_thread(partial(write_manifest, self.ledger, builds))

    def _ended(self, state: str, error: HarvestError | None) -> events.RunEnded:
        code = EXIT_CODES.get(state, 1) if error is None else error.exit_status
        outcomes, links = self.ledger.state.outcomes(), self.ledger.state.links()
        return events.RunEnded(state, outcomes, links, code, str(self.ledger.folder))

    async def _run_all(
        self, refresher: Refresher, committer: Committer, emit: events.Listener
    ) -> HarvestError | None:
        """Run one pass after the other; return why they ended early, if they did."""
        passes, wanted = self.job.limits.passes, self.ledger.input.wanted
        left = [len(wanted - self.ledger.state.done(n)) for n in range(1, passes + 1)]
        coming = self.feed.expected * passes if self.feed else 0
        again = refresher.expected()
        needed = requests_for(sum(left) + coming + again, self.job.limits.batch_size)
        hours = Hours.of(self.job, needed)
        if not any(left) and not self.feed and not again:
            emit(self._started(passes, hours))
        for number in range(1, passes + 1):
            committer.pass_number = number
            feed = self.feed if number == 1 else None
            if self._todo(number) or feed:
                emit(self._started(number, hours, feed))
                await committer.report()
                ended = await self._run_one(self._todo(number), feed, committer, emit, hours)
                if ended := ended or _lost(self._todo(number)):
                    return ended
                if feed is not None and (known := self._hours(len(self.ledger.input.wanted))).bound:
                    hours = known
            if number > 1:
                await committer.in_thread(partial(merge_pass, self.ledger, number))
        while await committer.in_thread(refresher.begin):
            for number in (REFRESHED, CONFIRMED):
                committer.pass_number = number
                asked = await committer.in_thread(partial(refresher.asked, number))
                if todo := asked - self.ledger.state.done(number):
                    emit(self._started(number, hours, again=asked))
                    await committer.report()
                    ended = await self._run_one(todo, None, committer, emit, hours)
                    if ended := ended or _lost(asked - self.ledger.state.done(number)):
                        return ended
            await committer.in_thread(refresher.finish)
        return None

    async def _run_rounds(
        self, rounds: Rounds, committer: Committer, emit: events.Listener
    ) -> HarvestError | None:
        """Run one round after the other; return why they ended early, if they did."""
        asked, batch_size = 0, self.job.limits.batch_size
        if not self.feed and await committer.in_thread(rounds.are_ended):
            emit(self._started(1, Hours.of(self.job, 0)))
            return None
        await committer.in_thread(rounds.begin)
        for number in itertools.count(1):
            todo, feed = rounds.todo(number), self.feed if number == 1 else None
            if todo or feed:
                asked += len(todo) + (feed.expected if feed else 0)
                hours = Hours.of(self.job, requests_for(asked, batch_size))
                self.ledger.round = number
                emit(self._started(1, hours, feed, round_number=number))
                await committer.report()
                ended = await self._run_one(todo, feed, committer, emit, hours)
                if ended := ended or _lost(rounds.todo(number)):
                    return ended
            if not await committer.in_thread(partial(rounds.expand, number)):
                break
        if not asked:
            emit(self._started(1, Hours.of(self.job, 0)))
        await committer.in_thread(rounds.end)
        return None

    def _committed(self, rounds: Rounds | None) -> Callable[[pa.Table], None] | None:
        """Return what receives the links of each commit."""
        if rounds is None:
            return self.committed

        def take(links: pa.Table) -> None:
            rounds.take(links, self.ledger.round or 1)
            if self.committed is not None:
                self.committed(links)

        return take

    def _hours(self, fed: int) -> Hours:
        """Return the hours of a harvest whose feed has `uids` UIDs by now."""
        limits = self.job.limits
        return Hours.of(self.job, requests_for(fed * limits.passes, limits.batch_size))

    def _todo(self, number: int) -> UidSet:
        """Return the UIDs without an outcome in a pass."""
        return self.ledger.input.wanted - self.ledger.state.done(number)

    async def _run_one(
        self,
        todo: UidSet,
        feed: Feed | None,
        committer: Committer,
        emit: events.Listener,
        hours: Hours,
    ) -> HarvestError | None:
        if self.pool is not None:
            if feed is not None:
                await self._read_all(feed, committer, emit)
                todo = self._todo(committer.pass_number)
            leased = LeasedPass(
                job=self.job, pool=self.pool, ledger=self.ledger, committer=committer, emit=emit
            )
            return await leased.run(todo, hours, self.stop)
        engine = make_engine(
            self.job,
            self.client,
            self.question,
            todo,
            deliver=committer.add,
            pending=lambda: committer.pending_bytes,
            emit=emit,
            known=self.ledger.state.answered(),
            hours=hours,
            fed=feed is None,
        )
        feeding = None if feed is None else self._feed(feed, engine, committer, emit)
        with self.stop.of(engine):
            return await drive(engine, committer, feeding)

    async def _read_all(self, feed: Feed, committer: Committer, emit: events.Listener) -> None:
        """Read a feed to its end, before its UIDs are divided into leases."""
        async for listed in feed.blocks():
            if self.ledger.input.add(listed):
                emit(events.InputGrew(len(self.ledger.input.wanted)))
        await committer.in_thread(self.ledger.input.end)

    async def _feed(
        self, feed: Feed, engine: Engine, committer: Committer, emit: events.Listener
    ) -> None:
        """Pass new UIDs of a feed to the ledger and to the engine.

        How many UIDs the feed of a hop yields is not known before: once it is more than a small
        job, the hop keeps the off-peak hours.
        """
        fed = len(self._todo(1))

        def add(listed: Listed) -> UidSet:
            nonlocal fed
            if new := self.ledger.input.add(listed):
                emit(events.InputGrew(len(self.ledger.input.wanted)))
                fed += len(new)
                if (hours := self._hours(fed)).bound:
                    engine.keep_hours(hours)
            return new

        await feed_engine(engine, feed, add)
        await committer.in_thread(self.ledger.input.end)

    def _started(
        self,
        number: int,
        hours: Hours,
        feed: Feed | None = None,
        again: UidSet | None = None,
        round_number: int = 0,
    ) -> events.RunStarted:
        """Return the event of a pass or round, or of a reading of a refresh."""
        outcomes = self.ledger.state.outcomes(number)
        asked = self.ledger.input.wanted if again is None else again
        return events.RunStarted(
            total=max(len(asked), feed.expected if feed else 0),
            done=sum(outcomes.values()),
            outcomes=outcomes,
            links=self.ledger.state.links() if number == 1 else 0,
            rate=self.client.rate,
            server=urlsplit(self.job.server.base_url).netloc,
            hours_end=hours.ends_at(),
            pass_number=number if again is None else number - REFRESHED + 1,
            passes=self.job.limits.passes if again is None else 2,
            growing=feed is not None,
            refresh=again is not None,
            round=round_number,
        )


def _lost(left: UidSet) -> HarvestError | None:
    """Return the error that UIDs have no outcome although their pass has ended."""
    if not left:
        return None
    return HarvestError(f"{len(left)} UIDs have no outcome yet: resume, and please report it.")
