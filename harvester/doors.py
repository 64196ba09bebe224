"""The doors of the library: `harvest`, `stream` and `run`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harvester import events, jobfile, uids
from harvester.assembly import connected, drive, make_engine
from harvester.errors import BadInput
from harvester.folder import disk_errors, see_fit
from harvester.hours import Hours
from harvester.ledger import Ledger
from harvester.names import check_names
from harvester.sinks import make_sink
from harvester.sizing import requests_for
from harvester.sources.wanted import read_source
from harvester.state import FILE
from harvester.status import end_state
from harvester.sweeps import Sweeps

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    import pyarrow as pa

    from harvester.committer import Delivery
    from harvester.job import Job

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
    told = list(listeners)
    asked = None if resume else read_source(job)  # before the folder: bad input leaves no trace
    sink = make_sink(job.output.format, job.output.codec)
    folder = Path(job.output.path)
    see_fit(folder)
    async with connected(job) as client:
        if not resume and not (folder / FILE).exists():
            for doubt in await check_names(client, job.link):
                events.to_all(told)(events.Doubt(doubt))
        with disk_errors(folder), Ledger(folder, sink, job.link.dbfrom) as ledger:
            ledger.adopt(job.identity(), jobfile.dump(job))
            if asked is None:
                asked = uids.as_set() if ledger.state.wanted() is not None else read_source(job)
            wanted = ledger.want(asked)
            if retry_failed:
                ledger.reopen()
            await Sweeps(job, client, ledger, wanted, told, signals).run()
            outcomes = ledger.state.outcomes()
            return Result(
                folder=ledger.folder,
                state=end_state(outcomes),
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
    if job.limits.passes > 1:
        raise BadInput(
            "limits.passes: reading again needs a folder to compare with; "
            "give one (-o DIR), or leave --passes out."
        )
    queue: asyncio.Queue[pa.Table | None] = asyncio.Queue()
    emit = events.to_all(listeners)

    def deliver(delivery: Delivery) -> None:
        if delivery.links is not None and delivery.links.num_rows:
            queue.put_nowait(delivery.links)

    async def ask() -> None:
        try:
            todo = read_source(job)
            async with connected(job) as client:
                for doubt in await check_names(client, job.link):
                    emit(events.Doubt(doubt))
                engine = make_engine(
                    job,
                    client,
                    todo,
                    deliver=deliver,
                    full=lambda: queue.qsize() >= _TABLES_AHEAD,
                    emit=emit,
                    known=uids.as_set(),
                    hours=Hours.of(job, requests_for(len(todo), job.limits.batch_size)),
                )
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


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, which costs less for each request; Windows has none."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop
