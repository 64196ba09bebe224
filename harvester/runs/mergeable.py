"""Check that harvests are the shards of one job, each once, whole and undamaged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harvester.errors import BadInput, FolderError, FolderInUse, HarvestError
from harvester.job import load
from harvester.model import uids
from harvester.sources.shards import share
from harvester.store.folder import JOB, hop_folder, is_chain, is_locked
from harvester.store.identity import BY_RANK, server_name
from harvester.store.reader import HarvestReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harvester.job.model import Job
    from harvester.model.uids import UidSet

_SHOWN = 3
"""UIDs that a sentence about an overlap names."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One harvest that is to be merged.

    Attributes:
        folder: its folder, as it was given.
        job: the job kept in it.
        harvest: its rows.
    """

    folder: Path
    job: Job
    harvest: HarvestReader

    @property
    def listed(self) -> UidSet | list[str]:
        """Its input UIDs; of accessions, their texts."""
        return self.harvest.listed(self.harvest.wanted)

    @property
    def passes(self) -> int:
        """Number of passes."""
        return self.job.limits.passes


def open_shards(folders: Sequence[Path]) -> list[Shard]:
    """Open the shards of a job, in the order of their shares.

    Args:
        folders: their folders, in any order.

    Raises:
        BadInput: they are not the shards of one job, or one is unfinished. The sentence has a
            line for each folder or share that is wrong.
        FolderError: a shard is damaged.
        FolderInUse: a process runs a shard.
    """
    wrong: list[HarvestError] = [*_repeated(folders)]
    shards = []
    for folder in dict.fromkeys(folders):
        try:
            shards.append(_opened(folder))
        except HarvestError as error:
            wrong.append(error)
    shards.sort(key=lambda one: one.job.source.share)
    wrong += _other_jobs(shards)
    if not wrong:
        wrong += [*_wrong_shares(shards)] or [*_wrong_uids(shards)]
    _raise(wrong)
    wrong += [
        FolderError(f"{text}. Restore the file from a backup.")
        for one in shards
        for text in one.harvest.damage().values()
    ]
    _raise(wrong)
    return shards


def _raise(wrong: Sequence[HarvestError]) -> None:
    """Raise all errors as one, of the class that they share, else as BadInput."""
    if not wrong:
        return
    kinds = {type(error) for error in wrong}
    kind = kinds.pop() if len(kinds) == 1 else BadInput
    lines = [str(error) for error in wrong]
    if len(lines) > 1:
        lines = ["These folders cannot be merged.", *(f"  {line}" for line in lines)]
    raise kind("\n".join(lines))


def _repeated(folders: Sequence[Path]) -> Iterator[BadInput]:
    for folder, count in Counter(one.resolve() for one in folders).items():
        if count > 1:
            named = next(one for one in folders if one.resolve() == folder)
            yield BadInput(f"{named} is given {count} times.")


def _opened(folder: Path) -> Shard:
    """Open one shard.

    Raises:
        BadInput: it is none, or unfinished.
        FolderError: it is damaged, or in use.
    """
    if is_chain(folder):
        raise BadInput(
            f"{folder} is a chain. Merge its first hop ({hop_folder(folder, 1)} and those of the "
            "other shards), and run the next hop with --from-run."
        )
    found = HarvestReader.open(folder)
    found.check_links()
    if found.has_rounds:
        raise BadInput(f"{folder} has rounds (repeat); those of several harvests overlap.")
    if is_locked(folder):
        raise FolderInUse(f"{folder} is in use by a harvest. Merge it once it has ended.")
    if found.refreshing:
        raise BadInput(f"{folder} has a refresh that is not ended (harvester resume {folder}).")
    if found.partial_source:
        raise BadInput(f"{folder} was made from an unfinished harvest (--partial).")
    if found.identity is None or not found.complete:
        of = f"{found.total:,}" if found.source_ended else "an unknown number of"
        raise BadInput(
            f"{folder} is unfinished: {len(found.done):,} of {of} UIDs have an outcome "
            f"(harvester resume {folder})."
        )
    job = load.absolute(load.build({"output": {"path": str(folder)}}, folder / JOB, {}))
    return Shard(folder, job, found)


def _other_jobs(shards: Sequence[Shard]) -> Iterator[BadInput]:
    """Yield an error for each shard that is of another job or server than most are."""
    jobs = [_compared(one) for one in shards]
    most = max(range(len(jobs)), key=lambda place: jobs.count(jobs[place]), default=0)
    for shard, now in zip(shards, jobs, strict=True):
        first, before = shards[most], jobs[most]
        for key in sorted(before | now):
            if before.get(key) != now.get(key):
                yield BadInput(
                    f"{shard.folder} is of another job: its {key} is {now.get(key)}, "
                    f"that of {first.folder} is {before.get(key)}."
                )
                break


def _compared(shard: Shard) -> dict[str, Any]:
    """Return the properties that the shards of one job have in common, by name."""
    identity: Mapping[str, Any] = shard.harvest.identity or {}
    common = {
        f"{group}.{key}": value
        for group in ("link", "output", "source")
        for key, value in identity.get(group, {}).items()
    }
    common["server.base_url"] = server_name(identity.get("server", {}).get("base_url", ""))
    common["source"] = shard.job.source.kind
    common["limits.passes"] = shard.passes
    common["number of shards"] = shard.job.source.share[1]
    common["rule of the shards"] = identity["shards"]["rule"]
    return common


def _wrong_shares(shards: Sequence[Shard]) -> Iterator[BadInput]:
    """Yield an error for each share that occurs twice, or not at all."""
    count = shards[0].job.source.share[1] if shards else 0
    by_index: dict[int, list[Shard]] = {index: [] for index in range(1, count + 1)}
    for shard in shards:
        by_index[shard.job.source.share[0]].append(shard)
    for index, found in by_index.items():
        if not found:
            yield BadInput(f"The shard {index}/{count} is missing: no folder holds it.")
        if len(found) > 1:
            names = " and ".join(str(one.folder) for one in found)
            yield BadInput(f"{names} overlap: each is the shard {index}/{count}.")


def _wrong_uids(shards: Sequence[Shard]) -> Iterator[BadInput]:
    """Yield an error for each shard with UIDs of another share, or of another folder."""
    for shard in shards:
        assert shard.harvest.identity is not None
        by_rank = shard.harvest.identity["shards"]["rule"] == BY_RANK
        listed = shard.listed
        mine: Any = share(listed, *shard.job.source.share)
        if not by_rank and (outside := len(listed) - len(mine)):
            yield BadInput(
                f"{shard.folder} holds {outside:,} UIDs that are not of its shard, "
                f"{shard.job.source.shard}."
            )
    before: list[tuple[Shard, set[str] | UidSet]] = []
    for shard in shards:
        texts = shard.listed
        members = set(texts) if isinstance(texts, list) else texts
        for other, theirs in before:
            if both := members & theirs:
                some = ", ".join(str(one) for one, _ in zip(both, range(_SHOWN), strict=False))
                yield BadInput(
                    f"{shard.folder} and {other.folder} overlap: both hold {len(both):,} UIDs, "
                    f"such as {some}."
                )
        before.append((shard, members))


def distinct(listed: Sequence[Shard]) -> UidSet | list[str]:
    """Return the input UIDs of all shards together; of accessions, their texts."""
    parts = [one.listed for one in listed]
    if isinstance(parts[0], list):
        return [text for part in parts for text in part]
    return uids.union(parts)
