"""Public functions that run a job: `harvest`, `records`, and `run` without a loop."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from harvester import events
from harvester.api.arguments import check_job
from harvester.api.loop import run_async
from harvester.api.progress import listening
from harvester.client.connect import connected
from harvester.engine.stop import Stop, halt_on_signals
from harvester.job import load
from harvester.runs.chain import hop_jobs, run_chain
from harvester.runs.prepare import prepare
from harvester.runs.records import SUMMARY, Records, Side, get_records
from harvester.runs.refresh import check_refreshable
from harvester.runs.run import Result, Runner
from harvester.sources.rejected import count_rejected, write_rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractAsyncContextManager
    from typing import Unpack

    from harvester.job.in_memory import UidsInMemory
    from harvester.job.model import Job
    from harvester.model.identifiers import Listed
    from harvester.runs.leases import Pool
    from harvester.sources.feed import Feed
    from harvester.sources.rejected import Rejected

__all__ = ["Result", "harvest", "records", "run", "run_records"]


async def harvest(
    job: Job,
    *,
    ids: UidsInMemory | None = None,
    listeners: Iterable[events.Listener] = (),
    progress: bool = False,
    retry_failed: bool = False,
    resume: bool = False,
    partial: bool = False,
    strict: bool = False,
    refresh: float | None = None,
    signals: bool = False,
) -> Result:
    """Run a job to its end, or continue where an earlier run ended.

    Args:
        job: what to harvest.
        ids: UIDs in memory, for a job that names no source: a list, range or generator, or an
            array or column of numpy, pandas, polars or pyarrow. The folder keeps them: without ids,
            the job continues; with others, the new ones are added.
        listeners: receive every event, in the loop's thread; they must not block. Without any,
            the events go to the logger `harvester`; see `log_to`.
        progress: show a display: in a notebook an output of the cell, on a terminal the display
            of the command, elsewhere a line on stderr every half minute and at the end.
        retry_failed: whether to request UIDs recorded as failed or missing again.
        resume: whether to take the UIDs from the folder; the source is then read only if it was
            never read to its end.
        partial: whether to accept an unfinished harvest as the source.
        strict: whether to end before the first ELink request if NCBI ignores a part of the query.
        refresh: request again UIDs whose answer is older than N days; the folder then holds the
            newest answer of each.
        signals: whether to end gently at the first SIGINT or SIGTERM, at once at the second.

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
    check_job(job)
    job = job if ids is None else job.with_uids(ids)
    if refresh is not None:
        check_refreshable(job, refresh)
    with listening(listeners, progress=progress) as told:
        emit = events.to_all(told)
        rejected: list[Rejected] = []
        job, source = prepare(
            job,
            lambda text: emit(events.Warned(text)),
            rejected.append,
            resume=resume,
            partial=partial,
        )

        def opened(folder: Path) -> None:
            if source is not None and job.source.kind in ("ids", "uids"):
                write_rejected(folder, rejected)

        stop = Stop()
        with halt_on_signals(stop) if signals else nullcontext():
            async with (
                connected(job.server, job.contact, job.limits, emit=emit) as client,
                _workers(job) as pool,
            ):
                runner = Runner(
                    client=client,
                    listeners=told,
                    stop=stop,
                    resume=resume,
                    retry_failed=retry_failed,
                    strict=strict,
                    refresh=refresh,
                    pool=pool,
                )
                return await _run(runner, job, source, opened)


def _workers(job: Job) -> AbstractAsyncContextManager[Pool | None]:
    """Return the workers of a job; None for this process."""
    if job.run.runner == "local":
        return nullcontext()
    from harvester.runners.dask import dask_pool  # noqa: PLC0415 - an extra

    return dask_pool(job, run_async)


async def _run(
    runner: Runner, job: Job, source: Listed | Feed | None, opened: Callable[[Path], None]
) -> Result:
    """Run the hops of a job, and fetch the records that it requires."""
    if job.hop:
        result = await run_chain(runner, job, source, opened)
    else:
        result = await runner.run(job, source, opened=lambda ledger: opened(ledger.folder))
    if job.source.skip_bad:
        result = replace(result, rejected=count_rejected(Path(job.output.path)))
    if job.output.records is None or not result.link_count:
        return result
    wanted = Records("to", job.output.records)
    got = await get_records(runner, hop_jobs(job)[-1], wanted, partial=True)
    return replace(result, records=tuple(got.values()))


class HarvestOptions(TypedDict, total=False):
    """The options of `harvest`."""

    ids: UidsInMemory | None
    listeners: Iterable[events.Listener]
    progress: bool
    retry_failed: bool
    resume: bool
    partial: bool
    strict: bool
    refresh: float | None
    signals: bool


def run(job: Job, **options: Unpack[HarvestOptions]) -> Result:
    """Run `harvest` without an event loop; takes the same options.

    Raises:
        RuntimeError: an event loop is running, as in a notebook; use `await harvest(job)`.
    """
    return run_async(harvest(job, **options), "await harvest(job)")


async def records(
    job: Job,
    *,
    side: Side = "to",
    form: str = SUMMARY,
    listeners: Iterable[events.Listener] = (),
    progress: bool = False,
    retry_failed: bool = False,
    partial: bool = False,
    signals: bool = False,
) -> dict[str, Result]:
    """Fetch the records at one end of the links of a harvest, into OUT/records.

    Args:
        job: the harvested job; its folder must be complete.
        side: `to` for the records linked to, `from` for the input.
        form: `summary` for ESummary, else RETTYPE, RETTYPE/RETMODE or /RETMODE of EFetch.
        listeners: receive every event, as for `harvest`.
        progress: show a display, as for `harvest`.
        retry_failed: whether to request records recorded as failed or missing again.
        partial: whether to accept an unfinished harvest.
        signals: as for `harvest`.

    Returns:
        Database → result of its records.

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
    check_job(job)
    job = load.resolve(job)
    stop = Stop()
    with (
        listening(listeners, progress=progress) as told,
        halt_on_signals(stop) if signals else nullcontext(),
    ):
        emit = events.to_all(told)
        async with connected(job.server, job.contact, job.limits, emit=emit) as client:
            runner = Runner(client=client, listeners=told, stop=stop, retry_failed=retry_failed)
            return await get_records(runner, job, Records(side, form), partial=partial)


def run_records(job: Job, **options: Any) -> dict[str, Result]:
    """Run `records` without an event loop; takes the same options."""
    return run_async(records(job, **options), "await records(job)")
