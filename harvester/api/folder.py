"""Operations on the folder of a harvest that need nothing else.

Modules that send requests are imported only when needed, so that `status` is fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harvester import events
from harvester.errors import FolderError, FolderInUse
from harvester.job import load
from harvester.store.folder import JOB, check_harvest, harvest_folders, is_chain
from harvester.store.opening import holds
from harvester.store.state_reader import FILE
from harvester.store.status import chain_status, harvest_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from harvester.job.load import Settings
    from harvester.job.model import Job
    from harvester.runs.compare import Compared as Compared  # noqa: PLC0414 - for callers
    from harvester.runs.compare import Difference as Difference  # noqa: PLC0414
    from harvester.runs.resample import Resampled as Resampled  # noqa: PLC0414
    from harvester.runs.run import Result
    from harvester.runs.verify import Verified as Verified  # noqa: PLC0414

__all__ = [
    "against",
    "diff",
    "harvests_in",
    "job_in",
    "merge",
    "reparse",
    "resample",
    "resume",
    "status",
    "verify",
    "verify_all",
]


def harvests_in(folder: Path) -> dict[str, Path]:
    """Return name of hop → folder for a chain, "" → the folder for a single harvest.

    Raises:
        FolderError: a hop before the last one, or its state, is missing.
    """
    found = harvest_folders(folder)
    return {"" if path == folder else path.name: path for path in found}


def job_in(folder: Path, *, chain: bool = False, options: Settings | None = None) -> Job:
    """Return the job kept in a folder.

    Args:
        folder: folder of a harvest.
        chain: accept the folder of a chain of harvests, too.
        options: values that replace those of the job, such as its limits.

    Raises:
        BadInput: the folder holds no harvest, or its `job.toml` is missing or wrong.
    """
    if not (chain and holds(folder, JOB)):
        check_harvest(folder)
    return load.load_kept(folder / JOB, options)


def status(folder: Path) -> dict[str, Any]:
    """Return the status of a harvest or a chain, also while another process runs it.

    Returns:
        The object of `harvester status --json`; counts are of what is committed.

    Raises:
        BadInput: the folder holds no harvest.
        FolderError: its state is damaged.
    """
    return chain_status(folder) if is_chain(folder) else harvest_status(folder)


def verify(folder: Path, listeners: Iterable[events.Listener] = ()) -> Verified:
    """Read every recorded file of a harvest and compare it with its record.

    Args:
        folder: folder of a harvest; or of one that was handed over without its state, which is
            compared with its manifest alone.
        listeners: called with the progress.

    Raises:
        BadInput: the folder holds no harvest.
        FolderError: another process runs the harvest, or its state is damaged.
    """
    from harvester.runs import verify as files  # noqa: PLC0415

    if files.is_handed_over(folder):
        return files.verify_handed_over(folder, events.to_all(listeners))
    check_harvest(folder)
    return files.verify(folder, events.to_all(listeners))


def verify_all(
    folder: Path, listeners: Iterable[events.Listener] = ()
) -> list[tuple[str, Path, Verified]]:
    """Verify the harvest in a folder, or each hop of a chain and the files beside the hops.

    Args:
        folder: folder of a harvest or a chain.
        listeners: called with the progress, hop by hop.

    Returns:
        Name of the hop (empty for a single harvest, and for the files beside the hops), folder
        and result of each. A hop that cannot be opened counts as damaged.

    Raises:
        BadInput: the folder holds no harvest.
        FolderError: another process runs the harvest, or its state is damaged.
    """
    from harvester.runs import verify as files  # noqa: PLC0415
    from harvester.runs.checked_files import CheckedFile  # noqa: PLC0415

    told = list(listeners)
    if files.is_handed_over(folder):
        return [("", folder, verify(folder, told))]
    found = []
    for hop, path in harvests_in(folder).items():
        try:
            found.append((hop, path, verify(path, told)))
        except FolderInUse:
            raise
        except FolderError as error:
            if not hop:
                raise
            wrong = CheckedFile(FILE, f"cannot be used: {error}".removesuffix("."))
            found.append((hop, path, files.Verified([wrong])))
    if is_chain(folder) and (beside := files.verify_chain_files(folder)) is not None:
        found.append(("", folder, beside))
    return found


def against(
    old: Path,
    new: Path,
    warn: Callable[[str], None] = lambda _: None,
    listeners: Iterable[events.Listener] = (),
) -> dict[str, Compared]:
    """Compare the links of a harvest with those of an earlier one, hop by hop of a chain.

    Args:
        old: folder of the earlier harvest or chain.
        new: folder of the later one.
        warn: receives a sentence about what is not compared.
        listeners: called with the progress, hop by hop.

    Returns:
        Name of the hop (empty for a single harvest) → the differences.

    Raises:
        BadInput: a folder holds no finished harvest, or they are of different jobs.
        FolderError: a harvest is damaged.
    """
    from harvester.runs.diff import diff as compare_folders  # noqa: PLC0415

    found = compare_folders(old, new, partial=None, warn=warn, emit=events.to_all(listeners))
    return found.hops or {"": found}


async def resample(
    folder: Path,
    share: float,
    *,
    seed: int | None = None,
    listeners: Iterable[events.Listener] = (),
) -> Resampled:
    """Query again a random share of the answered UIDs, and compare.

    Args:
        folder: folder of a harvest; nothing in it is changed.
        share: share of the answered UIDs, above 0 and up to 1; at least one UID is queried.
        seed: seed of the choice.
        listeners: called with every event.

    Raises:
        BadInput: the folder holds no harvest, or one whose rows cannot be compared.
        HarvestError: the server refuses the requests, or off-peak hours are over.
    """
    from harvester.runs.resample import resample as resample_uids  # noqa: PLC0415

    return await resample_uids(job_in(folder), share, seed=seed, listeners=listeners)


def diff(
    old: Path,
    new: Path,
    out: Path | None = None,
    *,
    partial: bool = False,
    warn: Callable[[str], None] = lambda _: None,
    listeners: Iterable[events.Listener] = (),
) -> Compared:
    """Compare the links of two harvests of one job; neither is changed, and no request is sent.

    Args:
        old: folder of the earlier harvest or chain; chains are compared hop by hop.
        new: folder of the later one.
        out: a new folder for the links that differ, as Parquet files with the columns of `links`
            in `added/` and `removed/`, of a chain in a folder per hop; None: only count them.
        partial: accept unfinished harvests.
        warn: receives a sentence about what is not compared.
        listeners: called with the progress.

    Raises:
        BadInput: a folder holds no harvest or an unfinished one, they are of different jobs, or
            `out` holds something.
        FolderError: a harvest is damaged, or the disk is full.
    """
    from harvester.runs.diff import diff as compare_folders  # noqa: PLC0415

    return compare_folders(old, new, out, partial=partial, warn=warn, emit=events.to_all(listeners))


def merge(
    out: Path,
    shards: Sequence[Path],
    warn: Callable[[str], None] = lambda _: None,
    listeners: Iterable[events.Listener] = (),
) -> Result:
    """Merge the shards of a job (`source.shard`) into one harvest; sends no request.

    Args:
        out: folder of the new harvest; absent, or empty.
        shards: folders of all shards, in any order; they are not changed.
        warn: receives a sentence about what is not merged.
        listeners: called with the progress.

    Returns:
        The result; that of `out` if it holds the same shards merged already.

    Raises:
        BadInput: they are not the shards of one job, or `out` holds something.
        FolderError: a shard is damaged or in use, or the disk is full.
    """
    from harvester.runs.merge import merge as merge_shards  # noqa: PLC0415

    return merge_shards(out, shards, warn, events.to_all(listeners))


def reparse(folder: Path, listeners: Iterable[events.Listener] = ()) -> int:
    """Rebuild the links of a harvest from its kept responses; sends no request.

    Args:
        folder: folder of a harvest.
        listeners: called with the progress.

    Returns:
        Rows of links written.

    Raises:
        BadInput: the folder holds no harvest, or one without `keep_raw`.
        FolderError: the folder is in use or damaged.
    """
    from harvester.runs.reparse import reparse as reparse_responses  # noqa: PLC0415

    return reparse_responses(job_in(folder), events.to_all(listeners))


async def resume(folder: Path, **options: Any) -> Result:
    """Continue the harvest or the chain in a folder; takes the options of `harvest`.

    Raises:
        BadInput: the folder holds no harvest.
        HarvestError: as for `harvest`.
    """
    from harvester.api.harvest import harvest  # noqa: PLC0415

    return await harvest(job_in(folder, chain=True), resume=True, **options)
