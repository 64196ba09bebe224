"""The doors of the library: `harvest`, `stream` and `run`."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harvester import events
from harvester.client.connect import connected
from harvester.engine.stop import Stop, heeded
from harvester.errors import BadInput
from harvester.job import load as jobfile
from harvester.job.permission import check_permitted
from harvester.runs.chain import hop_jobs, run_hops
from harvester.runs.records import SUMMARY, Records, Side, get_records
from harvester.runs.run import Harvesting, Result
from harvester.runs.stream import stream
from harvester.sources.from_job import read_source
from harvester.store.folder import check_usable, disk_errors, hop_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harvester.job.model import Job

__all__ = ["Result", "harvest", "records", "run", "run_records", "stream"]


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
    job = jobfile.resolve(job)
    check_permitted(job.contact, job.server, job.limits)  # before a long list is read
    folder = Path(job.output.path)
    emit = events.to_all(listeners := list(listeners))
    # Before the folder, and before anybody is asked: bad input leaves no trace.
    listed = None if resume or job.source.is_remote else read_source(job, emit)
    with disk_errors(folder):
        check_usable(folder)
        if hop_folders(folder) and not job.hop:
            raise BadInput(f"{folder} holds a chain of harvests; give another --out for this one.")
    stop = Stop()
    with heeded(stop) if signals else nullcontext():
        async with connected(job.server, job.contact, job.limits) as client:
            harvesting = Harvesting(
                client=client,
                listeners=listeners,
                stop=stop,
                resume=resume,
                retry_failed=retry_failed,
            )
            if job.hop:
                result = await run_hops(harvesting, job, listed)
            else:
                result = await harvesting.make(job, listed)
            if job.output.records is None or not result.links:
                return result
            last = hop_jobs(job)[-1] if job.hop else job
            got = await get_records(harvesting, last, Records("to", job.output.records))
            return replace(result, records=tuple(got.values()))


def run(job: Job, **options: Any) -> Result:
    """`harvest` for code without an event loop; takes the same options."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(harvest(job, **options))


async def records(
    job: Job,
    *,
    side: Side = "to",
    form: str = SUMMARY,
    listeners: Iterable[events.Listener] = (),
    signals: bool = False,
) -> dict[str, Result]:
    """Get the records at one end of the links of a harvest, into OUT/records.

    Args:
        job: that was harvested; its folder must be complete.
        side: `to` for the records linked to, `from` for the input.
        form: `summary` for ESummary, else RETTYPE, RETTYPE/RETMODE or /RETMODE of EFetch.
        listeners: told of every event.
        signals: as for `harvest`.

    Returns:
        Database → what came of its records.

    Raises:
        BadInput: the harvest has no such UIDs.
        HarvestError: as for `harvest`.

    Example:
        ```
        await harvest(job)
        for db, result in (await records(job, form="medline/text")).items():
            print(db, result.outcomes)
        ```
    """
    job = jobfile.resolve(job)
    stop = Stop()
    with heeded(stop) if signals else nullcontext():
        async with connected(job.server, job.contact, job.limits) as client:
            harvesting = Harvesting(client=client, listeners=list(listeners), stop=stop)
            return await get_records(harvesting, job, Records(side, form))


def run_records(job: Job, **options: Any) -> dict[str, Result]:
    """`records` for code without an event loop; takes the same options."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(records(job, **options))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, which costs less for each request; Windows has none."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop
