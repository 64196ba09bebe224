"""The doors of the library: `harvest`, `stream` and `run`."""

from __future__ import annotations

import asyncio
import errno
import math
import signal
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from harvester import events, jobfile, uids
from harvester.client import Client
from harvester.committer import Committer
from harvester.engine import Engine
from harvester.errors import BadInput, FolderError, HarvestError, Interrupted
from harvester.eutils.elink import Elink
from harvester.frontier import Frontier
from harvester.hours import Hours
from harvester.ledger import Ledger
from harvester.limiter import Limiter
from harvester.sinks import make_sink
from harvester.sizing import START, BatchSize
from harvester.sources.lines import read_lines
from harvester.status import Progress
from harvester.transport import Transport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    import pyarrow as pa

    from harvester.committer import Delivery
    from harvester.job import Job
    from harvester.uids import UidSet

MOST_IN_FLIGHT = 1000


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


async def stream(job: Job) -> AsyncIterator[pa.Table]:
    """The links of a job as tables, one for each answered batch, with nothing written.

    A slow reader slows the asking down. Failed and missing UIDs give no rows.

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
        todo = read_source(job)
        parts = _engine(job, todo, uids.as_set(), deliver, lambda: queue.qsize() >= 8, _nobody)
        try:
            async with parts as engine:
                await _until_ended(engine)
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


def read_source(job: Job) -> UidSet:
    """The distinct UIDs of a job's source.

    Raises:
        BadInput: there is none, it cannot be read, or something in it is not a UID.
    """
    if not job.source.ids:
        raise BadInput("There are no UIDs to ask for: give a list with --ids FILE (- for stdin).")
    wanted = uids.as_set()
    for name in job.source.ids:
        for block in read_lines(name, job.link.dbfrom):
            wanted |= uids.as_set(np.sort(block))
    if not wanted:
        raise BadInput(f"There is no UID in {', '.join(job.source.ids)}.")
    return uids.shard(wanted, *job.source.share)


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
    told: list[events.Listener] = [tally, *listeners]

    def emit(event: events.Event) -> None:
        for listener in told:
            listener(event)

    rate = job.rate(with_key=jobfile.api_key() is not None)
    progress = Progress(tally, ledger.state.progress(), rate)
    committer = Committer(ledger, job.link.dbfrom, emit, progress)
    server = urlsplit(job.server.base_url).netloc
    outcomes, links = ledger.state.outcomes(), ledger.state.links()
    emit(events.RunStarted(len(wanted), len(done), outcomes, links, rate, server))
    ended: HarvestError | None = None
    try:
        if todo:
            parts = _engine(job, todo, done, committer.add, lambda: committer.full, emit)
            async with parts as engine:
                with _signals(engine) if signals else _no_signals():
                    ended = await _ask_and_commit(engine, committer)
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


async def _ask_and_commit(engine: Engine, committer: Committer) -> HarvestError | None:
    """Engine and committer side by side, in one group of tasks; why it ended early, if it did."""
    ended: HarvestError | None = None
    failed: list[OSError] = []

    async def write() -> None:
        try:
            await committer.run()
        except OSError as error:
            failed.append(error)
            engine.halt(HarvestError("the disk failed"))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        try:
            await engine.run(tasks)
        except HarvestError as error:
            ended = error
        committer.stop()
    if failed:
        raise failed[0]
    return ended


async def _until_ended(engine: Engine) -> None:
    ended: HarvestError | None = None
    async with asyncio.TaskGroup() as tasks:
        try:
            await engine.run(tasks)
        except HarvestError as error:
            ended = error
    if ended is not None:
        raise ended


@asynccontextmanager
async def _engine(
    job: Job,
    todo: UidSet,
    known: UidSet,
    deliver: Callable[[Delivery], None],
    full: Callable[[], bool],
    emit: events.Listener,
) -> AsyncIterator[Engine]:
    """An engine with an open session for what is still to be asked."""
    limits = job.limits
    key = jobfile.api_key()
    rate = job.rate(with_key=key is not None)
    # Each request ends within the timeout, so more than rate x timeout cannot be in flight.
    natural = min(math.ceil(rate * limits.timeout), MOST_IN_FLIGHT)
    size = START if limits.batch_size == "auto" else limits.batch_size
    async with Transport(job.server.base_url, limits.timeout) as transport:
        yield Engine(
            client=Client(transport, Elink(job.link, job.contact, key)),
            limiter=Limiter(rate),
            frontier=Frontier(todo, job.link.retmode),
            size=BatchSize(limits.batch_size, limits.timeout),
            hours=Hours.of(job, len(todo) / size),
            limits=limits,
            concurrency=natural if limits.concurrency == "auto" else limits.concurrency,
            deliver=deliver,
            full=full,
            emit=emit,
            known=known,
        )


@contextmanager
def _signals(engine: Engine) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks the engine to end, the second ends this task."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    caught: list[int] = []

    def on_signal(signum: int) -> None:
        caught.append(signum)
        if len(caught) == 1:
            engine.halt(Interrupted(signum))
        elif task is not None:
            task.cancel()

    handled = (signal.SIGINT, signal.SIGTERM)
    for signum in handled:
        loop.add_signal_handler(signum, on_signal, signum)
    try:
        yield
    except asyncio.CancelledError:
        if len(caught) > 1:
            raise Interrupted(caught[0]) from None
        raise
    finally:
        for signum in handled:
            loop.remove_signal_handler(signum)


@contextmanager
def _no_signals() -> Iterator[None]:
    yield


def _nobody(_: events.Event) -> None:
    """A listener that does not listen."""


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
