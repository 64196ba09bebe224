"""A harvest whose links wait in memory for a reader; nothing is written."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harvester import events
from harvester.client.check_names import check_names
from harvester.client.connect import connected
from harvester.client.outage_retry import OutageRetry
from harvester.engine.batch_trials import requests_for
from harvester.engine.flow import BUDGET_BYTES
from harvester.engine.off_peak import Hours
from harvester.engine.stop import Stop
from harvester.errors import BadInput
from harvester.eutils.elink.commands import Elink
from harvester.job import load
from harvester.job.permission import check_permitted
from harvester.model import uids
from harvester.model.delivery import AnsweredUids
from harvester.model.distinct_targets import Targets
from harvester.model.identifiers import identifiers_of
from harvester.runs.drive import drive, feed_engine, make_engine
from harvester.sources.feed import Feed, start_feed
from harvester.sources.from_job import open_source
from harvester.store.status import EXIT_CODES, end_state

if TYPE_CHECKING:
    from typing import Self

    import pyarrow as pa

    from harvester.job.model import Job
    from harvester.model.delivery import Delivery
    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidSet

_TABLES_AHEAD = 8
"""Number of tables not yet taken by the reader at which sending pauses."""


def prepare_stream(
    job: Job, emit: events.Listener, *, partial: bool = False
) -> tuple[Job, Listed | Feed]:
    """Return a job with absolute paths, and its opened source, without any request.

    Args:
        job: the job to run.
        emit: receives warnings about the source.
        partial: accept an unfinished harvest as the source.

    Raises:
        BadInput: the job needs a folder, NCBI's rules are not met, or the source cannot be read.
    """
    if job.limits.passes > 1:
        raise BadInput(
            "limits.passes: reading again needs a folder to compare with; "
            "give one (-o DIR), or leave --passes out."
        )
    if job.link.repeat > 1:
        raise BadInput("Rounds (repeat) need a folder; give one (-o DIR).")
    if job.hop:
        raise BadInput("A chain of hops needs a folder; give one (-o DIR).")
    if job.source.skip_bad:
        raise BadInput(
            "source.skip_bad: the entries left out are listed in a folder; give one (-o DIR), or "
            "leave --skip-bad out."
        )
    job = load.resolve(job)
    check_permitted(job.contact, job.server, job.limits)  # before a long list is read
    return job, open_source(job, lambda text: emit(events.Warned(text)), partial=partial)


class LinkStream:
    """A harvest whose tables wait in memory for a reader.

    Args:
        job: what to harvest, with absolute paths.
        source: its input UIDs, or a feed of them.
        emit: receives every event.
        stop: halts the engine when it is asked to; the tables of all answers are still returned.
        strict: whether a warning about the query ends the job before it begins.
    """

    def __init__(
        self,
        job: Job,
        source: Listed | Feed,
        emit: events.Listener,
        stop: Stop | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self._job = job
        self._strict = strict
        self._source = source
        self._stop = stop or Stop()
        self._emit = emit
        self._identifiers = identifiers_of(job.link.idtype)
        self._known = uids.as_set()
        self._targets = Targets() if job.link.targets_only else None
        self._tables: deque[pa.Table] = deque()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Start the harvest."""
        self._harvest = asyncio.create_task(self._run())
        self._harvest.add_done_callback(lambda _: self._changed.set())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the harvest; no task is left behind."""
        self._harvest.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._harvest

    async def next(self) -> pa.Table | None:
        """Return the next table; None at the end.

        Raises:
            HarvestError: the harvest ended early.
        """
        while not self._tables:
            if self._harvest.done():
                self._harvest.result()
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._tables.popleft()

    async def _run(self) -> None:
        job, source, emit = self._job, self._source, self._emit
        async with connected(job.server, job.contact, job.limits, emit=emit) as client:
            for warning in [*job.link.warnings(), *await check_names(client, job.link)]:
                emit(events.Warned(warning))
            feed = source if isinstance(source, Feed) else None
            if feed is not None:
                patient = OutageRetry(client, emit, job.limits.give_up_after)
                await start_feed(feed, patient, emit, strict=self._strict)
            todo = uids.as_set() if feed is not None else self._number(source)
            expected = len(todo) if feed is None else feed.expected
            hours = Hours.of(job, requests_for(expected, job.limits.batch_size))
            tally = events.Tally(asyncio.get_running_loop().time)
            emit = events.to_all([tally, self._emit])
            emit(
                events.RunStarted(
                    total=expected,
                    done=0,
                    outcomes={},
                    links=0,
                    rate=client.rate,
                    server=urlsplit(job.server.base_url).netloc,
                    hours_end=hours.ends_at(),
                    growing=feed is not None,
                )
            )
            engine = make_engine(
                job,
                client,
                Elink(job.link, self._identifiers),
                todo,
                deliver=self._deliver,
                pending=self._waiting_bytes,
                emit=emit,
                hours=hours,
                fed=feed is None,
            )
            feeding = None if feed is None else feed_engine(engine, feed, self._number)
            state, code, ended = "interrupted", 1, None
            try:
                with self._stop.of(engine):
                    ended = await drive(engine, feeding=feeding)
                if ended is None:
                    state = end_state(tally.outcomes)
                    code = EXIT_CODES[state]
                else:
                    code = ended.exit_status
            finally:
                emit(events.RunEnded(state, dict(tally.outcomes), tally.links, code))
        if ended is not None:
            raise ended

    def _number(self, listed: Listed) -> UidSet:
        """Return the numbers of those UIDs that are new."""
        new = self._identifiers.number_all(listed) - self._known
        self._known |= new
        if self._known != new:
            self._emit(events.InputGrew(len(self._known)))
        return new

    def _waiting_bytes(self) -> int:
        """Return the bytes that the reader has not taken; too many pause the sending."""
        full = len(self._tables) >= _TABLES_AHEAD
        return BUDGET_BYTES if full else sum(table.nbytes for table in self._tables)

    def _deliver(self, delivery: Delivery) -> None:
        if isinstance(delivery, AnsweredUids):
            links = delivery.rows.to_table()
            links = links if self._targets is None else self._targets.unseen(links)
            if links.num_rows:
                self._tables.append(links)
                self._changed.set()
