"""Merge the shards of a job (`--shard I/N`) into one harvest, without any request.

The harvest is built in a folder beside OUT and then renamed, so that OUT is absent or whole
even after a kill. Files are linked or copied unchanged. Small ones are then merged as at
the end of any run, which copies their row groups.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash

from harvester import events
from harvester.errors import BadInput, FolderInUse
from harvester.eutils.elink.commands import schema_of
from harvester.job import load
from harvester.model import uids
from harvester.model.distinct_targets import Targets
from harvester.runs.mergeable import distinct, open_shards
from harvester.runs.renumber import Renumbering
from harvester.runs.run import Result
from harvester.sources.rejected import count_rejected
from harvester.store import durable
from harvester.store.compaction import merge_small_parts
from harvester.store.folder import LOCK, REJECTED, disk_errors, lock_folder
from harvester.store.ledger import Ledger
from harvester.store.manifest import write_manifest
from harvester.store.passes import estimate
from harvester.store.reader import HarvestReader
from harvester.store.sinks import make_sink
from harvester.store.state_reader import FILE, MERGED, Settled, fold, look_up
from harvester.store.status import COUNTS, end_state
from harvester.store.unanswered import write_unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from harvester.job.model import Job
    from harvester.runs.mergeable import Shard
    from harvester.store.state_reader import Part, SettledAt

_ORIGIN = "merged_from"
"""Key in `meta`: the digest of the shards that a harvest was merged from."""


def merge(
    out: Path,
    folders: Sequence[Path],
    warn: Callable[[str], None] = lambda _: None,
    emit: events.Listener = lambda _: None,
) -> Result:
    """Merge the shards of a job into one harvest.

    Args:
        out: folder of the new harvest; absent, or empty.
        folders: folders of all shards, in any order; they are not changed.
        warn: receives a sentence about what is not merged.
        emit: receives the progress.

    Returns:
        The result. If `out` holds the same shards merged already, nothing is done.

    Raises:
        BadInput: the folders are not the shards of one job, or `out` holds something.
        FolderError: a shard is damaged, or the disk is full.
        FolderInUse: another process runs a shard, or merges into `out`.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - without .. and with symbolic links
    for folder in folders:
        if folder.resolve() == out.resolve():
            raise BadInput(
                f"{folder} is a shard and the folder of the result. Name a new folder first: "
                "harvester merge OUT SHARD..."
            )
    known = look_up(out, _ORIGIN)[0]
    if known is None:
        _check_free(out)
    shards = open_shards(folders)
    origin = _digest(shards)
    if known is not None and known != origin:
        raise BadInput(f"{out} holds other shards, merged before. Name a new folder.")
    if known is None:
        _compare_lists(shards, warn)
        for shard in shards:
            if records := shard.harvest.record_folders():
                warn(
                    f"{records[0].parent} is not merged. Get the records of all shards with: "
                    f"harvester records {out}"
                )
        with disk_errors(out.parent):
            _build(out, shards, origin, emit)
    return _result(out)


def _compare_lists(shards: Sequence[Shard], warn: Callable[[str], None]) -> None:
    """Warn of lists with other names, since the shards of two lists have gaps."""
    first, *others = shards
    files = [Path(file).name for file in first.job.source.ids]
    for shard in others:
        if (others_files := [Path(file).name for file in shard.job.source.ids]) != files:
            warn(
                f"{first.folder} is a shard of {', '.join(files)}, {shard.folder} one of "
                f"{', '.join(others_files)}. If these lists differ, the result lacks UIDs of both."
            )
            return


def _check_free(out: Path) -> None:
    """Check that a folder can take the place of `out`.

    Raises:
        BadInput: something is there.
    """
    if out.is_dir() and (names := sorted(path.name for path in out.iterdir())):
        holds = "a harvest" if FILE in names else names[0]
        raise BadInput(
            f"{out} holds {holds}. The first folder receives the result; name a new one."
        )
    for path in (out, *out.parents):
        if path.is_file():
            raise BadInput(f"{path} is a file, not a folder; name another folder.")


def _build(out: Path, shards: Sequence[Shard], origin: str, emit: events.Listener) -> None:
    aside = out.with_name(f".{out.name}.merging")
    with lock_folder(aside):
        _clear(aside)
    job = _job_of(shards[0].job, out)
    link = job.link
    sink = make_sink(job.output.format, job.output.codec)
    with Ledger(aside, sink, link.dbfrom, schema_of(link), link.idtype) as ledger:
        ledger.adopt(_identity(shards, job), load.dump(job))
        ledger.state.put(**{_ORIGIN: origin})
        _fill(ledger, shards, emit)
        merge_small_parts(ledger)
        write_unanswered(ledger)
        _write_rejected(aside, shards)
        progress = _progress(shards, end_state(ledger.state.outcomes()))
        began, builds = _known_of(shards)
        ledger.state.put(
            progress=json.dumps(progress), started_at=began or progress["started_at"] or ""
        )
        write_manifest(ledger, builds)
    with lock_folder(aside):
        if look_up(aside, _ORIGIN) != [origin]:
            raise FolderInUse(f"Another process merges shards into {out}.")
        durable.move_folder(aside, out)


def _clear(folder: Path) -> None:
    """Delete the leftovers of a killed merge."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _job_of(job: Job, out: Path) -> Job:
    """Return the job of all shards together."""
    source = job.source.model_copy(update={"shard": "1/1"})
    output = job.output.model_copy(update={"path": str(out)})
    return job.model_copy(update={"source": source, "output": output})


def _identity(shards: Sequence[Shard], job: Job) -> dict[str, Any]:
    known = shards[0].harvest.identity
    assert known is not None
    return job.identity() | {key: value for key, value in known.items() if key == "server"}


def _fill(ledger: Ledger, shards: Sequence[Shard], emit: events.Listener) -> None:
    """Copy the files of all shards, and record them together with the outcomes of all UIDs."""
    numbers = ledger.input
    numbers.add(distinct(shards))
    parts: list[Part] = []
    settled: list[Settled] = []
    times: list[SettledAt] = []
    if ledger.targets_only:
        parts.append(ledger.parts.write("links", _distinct_targets(ledger, shards)))
    files, done = sum(len(shard.harvest.parts) for shard in shards), 0
    for shard in shards:
        renumber = Renumbering(shard.harvest, ledger)
        for part in shard.harvest.parts:
            emit(events.ReadProgress(done, files, "file"))
            done += 1
            if part.kind == "raw" and renumber.changes:
                parts.append(ledger.parts.write("raw", renumber.raw()))
            elif part.kind in ("uids", "raw") or (part.kind == "links" and not ledger.targets_only):
                parts.append(ledger.parts.adopt(shard.folder, part))
        settled += [
            replace(one, uids=renumber(uids.as_array(one.uids))) for one in shard.harvest.settled
        ]
        times += [
            replace(one, uids=renumber(uids.as_array(one.uids)))
            for one in shard.harvest.settled_at()
        ]
    emit(events.ReadProgress(done, files, "file"))
    ledger.state.commit(parts, fold(settled), meta=_meta(shards), times=times)
    for number in range(2, shards[0].passes + 1):
        ledger.state.commit([], [Settled(MERGED, numbers.wanted)], pass_number=number)
    numbers.end()


def _distinct_targets(ledger: Ledger, shards: Sequence[Shard]) -> Iterator[pa.Table]:
    """Yield the distinct targets of all shards; the same one may be in several of them."""
    yield ledger.schema.empty_table()
    targets = Targets()
    for shard in shards:
        for table in shard.harvest.links():
            yield targets.unseen(table)


def _meta(shards: Sequence[Shard]) -> dict[str, str]:
    """Return the other data of the shards, as values of `meta`."""
    meta = {}
    warnings = dict.fromkeys(text for one in shards for text in one.harvest.warnings)
    if warnings:
        meta["warnings"] = json.dumps(list(warnings))
    agreements: dict[str, dict[str, estimate.Agreement]] = {}
    for shard in shards:
        for number, said in shard.harvest.agreement.items():
            mine = agreements.setdefault(number, {})
            for name, one in estimate.from_json(said).items():
                mine[name] = mine.get(name, estimate.Agreement()) + one
    if agreements:
        meta["agreement"] = json.dumps(
            {number: estimate.to_json(mine) for number, mine in agreements.items()}
        )
    return meta


def _known_of(shards: Sequence[Shard]) -> tuple[str | None, dict[str, str]]:
    """Return when the first shard began, and the builds of databases that any shard knows."""
    builds: dict[str, str] = {}
    begins = []
    for shard in shards:
        began, known = look_up(shard.folder, "started_at", "builds")
        begins.append(began)
        builds |= json.loads(known or "{}")
    return min(filter(None, begins), default=None), builds


def _progress(shards: Sequence[Shard], state: str) -> dict[str, Any]:
    """Return the progress of the merged harvest: the work of all shards together."""
    found = [one.harvest.progress for one in shards]
    requests = [one.get("requests", {}) for one in found]
    rates = [one.get("rate", {}) for one in found]
    limits = [rate["limit"] for rate in rates if rate.get("limit")]
    return {
        "state": state,
        "waiting": None,
        "sweep": found[0].get("sweep"),
        "requests": {key: sum(one.get(key, 0) for one in requests) for key in COUNTS},
        "rate": {
            "limit": max(limits, default=None),
            "achieved": round(sum(rate.get("achieved") or 0.0 for rate in rates), 3),
        },
        "limited_by": None,
        "eta_seconds": 0.0,
        "started_at": min(filter(None, (one.get("started_at") for one in found)), default=None),
        "updated_at": max(filter(None, (one.get("updated_at") for one in found)), default=None),
    }


def _write_rejected(folder: Path, shards: Sequence[Shard]) -> None:
    """Write the entries that any shard left out of its input, each once."""
    lines: dict[str, None] = {}
    for shard in shards:
        path = shard.folder / REJECTED
        if path.is_file():
            lines |= dict.fromkeys(path.read_text(encoding="utf-8").split("\n")[:-1])
    if lines:
        durable.write_text(folder / REJECTED, "".join(f"{line}\n" for line in lines))


def _digest(shards: Sequence[Shard]) -> str:
    """Return a digest of the shards' content."""
    digest = xxhash.xxh3_128()
    for shard in shards:
        listed = shard.listed
        whole = "\n".join(listed).encode() if isinstance(listed, list) else uids.dump(listed.copy())
        for piece in (shard.job.source.shard.encode(), whole):
            digest.update(len(piece).to_bytes(8, "little") + piece)
        for part in shard.harvest.parts:
            digest.update(f"{part.name} {part.checksum}\n".encode())
    return digest.hexdigest()


def _result(out: Path) -> Result:
    found = HarvestReader.open(out)
    return Result(
        folder=out,
        state=end_state(found.outcomes),
        total=found.total,
        outcomes=dict(found.outcomes),
        link_count=found.link_count,
        rejected=count_rejected(out),
    )
