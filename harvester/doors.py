"""The doors of the library: `harvest`, `stream` and `run`."""

from __future__ import annotations

import asyncio
import errno
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harvester import events, jobfile, uids
from harvester.assembly import assembled, drive
from harvester.committer import Committer
from harvester.errors import FolderError, HarvestError
from harvester.hours import Hours
from harvester.ledger import Ledger
from harvester.signals import heeded
from harvester.sinks import make_sink
from harvester.sizing import requests_for
from harvester.sources.wanted import read_source
from harvester.status import Progress

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    import pyarrow as pa

    from harvester.committer import Delivery
    from harvester.job import Job
    from harvester.uids import UidSet

_TABLES_AHEAD = 8  # a slow reader of `stream` slows the asking down at so many


@dataclass(frozen=True, slots=True)
class Result:
    """What a harvest came to.

    Attributes:
        folder: the harvest's folder.
        state: `complete` or `complete_with_failures`.
        total: distinct input UIDs.
        outcomes: outcome → UIDs; together they are `total`.
        links: distinct links.
    """

    folder: Path
    state: str
    total: int
    outcomes: dict[str, int]
    links: int

    @property
    def exit_code(self) -> int:
        """0, or 3 where some UIDs failed or are missing."""
        return 0 if self.state == "complete" else 3


async def harvest(
    job: Job,
    *,
    listeners: Iterable[events.Listener] = (),
    retry_failed: bool = False,
    resume: bool = False,
    signals: bool = False,
) -> Result:
    """Run a job to its end, or take it up where an earlier run left it.

    Args:
        job: what to harvest.
        listeners: told of every event, in the loop's thread; they must not block.
        retry_failed: ask again for the UIDs that an earlier run recorded as failed or missing.
        resume: take the UIDs from the folder; the source is read only if it never was to its end.
        signals: end gently on the first SIGINT or SIGTERM, at once on the second.

    Returns:
        Counts over all runs of the job.

    Raises:
        BadInput: the UID list is wrong, or the folder belongs to another job.
        FolderError: the folder is in use, damaged or full.
        Refused, WindowClosed, Interrupted: the run ended early; the folder can be resumed.

    Example:
        ```
        job = Job(
            link={"dbfrom": "pubmed", "db": "pmc"},
            source={"ids": "pmids.txt"},
            output={"path": "out"},
            contact={"email": "you@example.org"},
        )
        result = await harvest(job)
        ```
    """
    job = jobfile.absolute(job)
    asked = None if resume else read_source(job)  # before the folder: bad input leaves no trace
    sink = make_sink(job.output.format, job.output.codec)
    with Ledger(Path(job.output.path), sink, job.link.dbfrom) as ledger:
        ledger.adopt(job.identity(), jobfile.dump(job))
        if asked is None:
            asked = uids.as_set() if ledger.state.wanted() is not None else read_source(job)
        wanted = ledger.want(asked)
        if retry_failed:
            ledger.reopen()
        await _work(job, ledger, wanted, listeners, signals=signals)
        outcomes = ledger.state.outcomes()
        return Result(
            folder=ledger.folder,
            state=_end_state(outcomes),
            total=len(wanted),
            outcomes=outcomes,
            links=ledger.state.links(),
        )


def run(job: Job, **options: Any) -> Result:
    """`harvest` for code without an event loop; takes the same options."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(harvest(job, **options))


async def stream(
    job: Job, *, listeners: Iterable[events.Listener] = ()
) -> AsyncGenerator[pa.Table, None]:
    """The links of a job as tables, one for each answered batch, with nothing written.

    A slow reader slows the asking down. Failed and missing UIDs give no rows.

    Args:
        job: what to harvest; its output is not looked at.
        listeners: told of every event; they must not block.

    Raises:
        BadInput, Refused, WindowClosed: as for `harvest`.

    Example:
        ```
        async for table in stream(job):
            print(table.num_rows)
        ```
    """
    queue: asyncio.Queue[pa.Table | None] = asyncio.Queue()

    def deliver(delivery: Delivery) -> None:
        if delivery.links is not None and delivery.links.num_rows:
            queue.put_nowait(delivery.links)

    async def ask() -> None:
        try:
            todo = read_source(job)
            async with assembled(
                job,
                todo,
                deliver=deliver,
                full=lambda: queue.qsize() >= _TABLES_AHEAD,
                emit=_to_all(listeners),
                known=uids.as_set(),
                hours=Hours.of(job, requests_for(len(todo), job.limits.batch_size)),
            ) as engine:
                ended = await drive(engine)
            if ended is not None:
                raise ended
        finally:
            queue.put_nowait(None)

    asking = asyncio.create_task(ask())
    try:
        while (table := await queue.get()) is not None:
            yield table
        await asking
    finally:
        asking.cancel()
        await asyncio.wait([asking])


async def _work(
    job: Job,
    ledger: Ledger,
    wanted: UidSet,
    listeners: Iterable[events.Listener],
    *,
    signals: bool,
) -> None:
    """Ask for what is not done yet, commit it, and bring the folder into its final form."""
    done = ledger.state.done()
    todo = wanted - done
    tally = events.Tally(time.monotonic)
    emit = _to_all([tally, *listeners])

    rate = job.rate(with_key=jobfile.api_key() is not None)
    progress = Progress(tally, ledger.state.progress(), rate)
    committer = Committer(ledger, job.link.dbfrom, emit, progress)
    server = urlsplit(job.server.base_url).netloc
    outcomes, links = ledger.state.outcomes(), ledger.state.links()
    hours = Hours.of(job, requests_for(len(todo), job.limits.batch_size))
    ends = hours.ends_at()
    emit(events.RunStarted(len(wanted), len(done), outcomes, links, rate, server, ends))
    ended: HarvestError | None = None
    try:
        await committer.report()
        if todo:
            async with assembled(
                job,
                todo,
                deliver=committer.add,
                full=lambda: committer.full,
                emit=emit,
                known=ledger.state.answered(),
                hours=hours,
            ) as engine:
                with heeded(engine) if signals else nullcontext():
                    ended = await drive(engine, committer)
        left = len(wanted) - sum(ledger.state.outcomes().values())
        if left and ended is None:
            ended = HarvestError(f"{left} UIDs have no outcome yet: resume, and please report it.")
        progress.state = "interrupted" if ended else _end_state(ledger.state.outcomes())
        if ended is None:  # whoever was asked to stop should not keep others waiting
            await committer.in_thread(ledger.merge)
        await committer.in_thread(ledger.write_unanswered)
        await committer.report()
    except OSError as error:
        raise _disk_error(ledger.folder, error) from error
    finally:
        committer.close()
        emit(events.RunEnded(progress.state))
    if ended is not None:
        raise ended


def _to_all(listeners: Iterable[events.Listener]) -> events.Listener:
    told = list(listeners)

    def emit(event: events.Event) -> None:
        for listener in told:
            listener(event)

    return emit


def _end_state(outcomes: dict[str, int]) -> str:
    bad = outcomes.get("failed", 0) + outcomes.get("missing", 0)
    return "complete_with_failures" if bad else "complete"


def _disk_error(folder: Path, error: OSError) -> FolderError:
    remedy = "make room" if error.errno == errno.ENOSPC else "see that it can be written"
    return FolderError(
        f"{folder} could not be written ({error.strerror}): {remedy}, then resume; "
        "what was committed is kept."
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, which costs less for each request; Windows has none."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop
