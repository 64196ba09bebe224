"""Prepare a job: check its folder and open its source, before any change or request."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.job import load
from harvester.job.permission import check_permitted, check_rate
from harvester.runs.chain import hop_jobs
from harvester.sources.from_job import open_source
from harvester.store.folder import JOB, check_usable, disk_errors, hop_folders
from harvester.store.identity import check_same_job, shares_by_rank
from harvester.store.opening import holds
from harvester.store.remote.fetch import fetch
from harvester.store.state_reader import FILE, PARTIAL, look_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.job.model import Job
    from harvester.model.identifiers import Listed
    from harvester.sources.feed import Feed
    from harvester.sources.rejected import Reject


_FILES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".parquet", ".xlsx", ".gz", ".zst", ".duckdb"}
"""Suffixes of files that users expect of other programs."""


def prepare(
    job: Job,
    warn: Callable[[str], None],
    reject: Reject = lambda _: None,
    *,
    resume: bool = False,
    partial: bool = False,
    asks: bool = True,
) -> tuple[Job, Listed | Feed | None]:
    """Return a job with absolute paths, and its opened source.

    Args:
        job: the job to run.
        warn: receives warnings about the source.
        reject: receives each entry of the source that `source.skip_bad` leaves out.
        resume: take the UIDs from the folder, if its source was read to the end before.
        partial: accept an unfinished harvest as the source.
        asks: whether the server will be asked, so that it must know who asks.

    Returns:
        The job, and its UIDs, or a feed that yields them; None if the folder holds all of them.

    Raises:
        BadInput: NCBI's rules are not met, the folder holds something else, or the source cannot
            be read.
        FolderError: the folder is damaged.
    """
    job = load.resolve(job)
    if asks:  # before a long list is read
        check_permitted(job.contact, job.server, job.limits)
    check_rate(job.server, job.limits)
    folder = Path(job.output.path)
    _check_name(folder)
    fetch(folder, parts=False)
    if job.source.run is not None:
        fetch(Path(job.source.run))
    with disk_errors(folder):
        check_usable(folder)
        if hop_folders(folder) and not job.hop:
            raise BadInput(f"{folder} holds a chain of harvests; give another --out for this one.")
        if job.hop:
            _check_same_chain(job)
        first = hop_jobs(job)[0]
        kept, ended = look_up(Path(first.output.path), "identity", "source")
        check_same_job(Path(first.output.path), kept, first.identity())
    given = job.source.kind is not None  # those of an earlier run may have come from memory
    if ended is not None and (resume or job.source.is_remote or not given):
        run = Path(job.source.run or "")
        if ended != PARTIAL or not (run / FILE).is_file():
            return job, None
        partial = True  # as it was accepted before; by now there may be more
    by_rank = kept is not None and shares_by_rank(Path(first.output.path), kept)
    return job, open_source(job, warn, reject, partial=partial, by_rank=by_rank)


def _check_name(folder: Path) -> None:
    """Check that the output is not the name of a table.

    Raises:
        BadInput: its name is that of a table, and there is no such folder.
    """
    bare = folder
    while bare.suffix.lower() in _FILES:
        bare = bare.with_suffix("")
    if bare != folder and not folder.is_dir():
        raise BadInput(
            f"{folder.name} looks like a file, but a harvest is a folder: give a folder, like "
            f"{bare.name}. Its tables are Parquet or JSON lines; for a CSV of its links: "
            f"{shlex.join(['harvester', 'export', bare.name, '--to', 'csv', f'{bare.name}.csv'])}",
            field="output.path",
        )


def _check_same_chain(job: Job) -> None:
    """Check that the folder holds this chain, or none.

    Raises:
        BadInput: it holds another.
    """
    folder = Path(job.output.path)
    if not holds(folder, JOB):
        return
    kept = load.load_kept(folder / JOB)
    before, now = ([one.identity() for one in hop_jobs(both)] for both in (kept, job))
    if [one["link"] for one in before] != [one["link"] for one in now]:
        raise BadInput(f"{folder} holds a chain of other hops; give another --out for this one.")
    for one in (*before, *now):
        del one["server"]  # the state of the first hop knows it better
    if before != now:
        raise BadInput(
            f"{folder} holds this chain with another source or output; give another --out."
        )
