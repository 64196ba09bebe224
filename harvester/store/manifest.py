"""`manifest.json`: what a finished harvest holds, with a SHA-256 of every file.

A run removes it before it changes anything, and writes it last. Its presence therefore means that
the folder is whole. `docs/schemas/manifest.schema.json` is its schema.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from harvester.errors import FolderError
from harvester.store import durable
from harvester.store.contents import read_contents
from harvester.store.folder import JOB, MANIFEST, RECORDS, REJECTED, UNANSWERED, hop_folders
from harvester.store.kept_job import read_job
from harvester.store.opening import opening
from harvester.store.state_reader import PARTIAL
from harvester.store.status import COUNTS, OUTCOMES, chain_state, end_state, sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harvester.store.contents import Contents
    from harvester.store.ledger import Ledger
    from harvester.store.state_reader import Part

FORMAT = 1
"""Version of the form of the manifest."""

_TEXTS = {JOB: "job", UNANSWERED: "unanswered", REJECTED: "rejected"}
"""Files beside the parts → their kind."""

Manifest = dict[str, Any]
"""The object of `manifest.json`."""


def write_manifest(ledger: Ledger, builds: Mapping[str, str] | None = None) -> None:
    """Write the manifest of a harvest whose run has ended: the last step of every run.

    Args:
        ledger: the harvest's folder, in its final form.
        builds: database → build of its index, as EInfo says; those of an earlier run by default.

    Raises:
        FolderError: a part is not as it was committed.
    """
    state = ledger.state
    contents = read_contents(ledger)
    progress = state.progress()
    began = state.get("started_at") or progress.get("started_at")
    ended = None if ledger.changed else state.get("ended_at")
    ended = ended or progress.get("updated_at")
    if builds is None:
        builds = json.loads(state.get("builds") or "{}")
    state.put(ended_at=ended or "", builds=json.dumps(builds))
    outcomes = state.outcomes()
    job = read_job(ledger.folder)
    manifest: Manifest = {
        "format": FORMAT,
        "harvester": version("elink-harvester"),
        "state": end_state(outcomes),
        "started_at": began,
        "ended_at": ended,
        "job": job,
        "uids": {"total": len(ledger.input.wanted)}
        | {outcome: outcomes.get(outcome, 0) for outcome in OUTCOMES},
        "links": state.links(),
        "by_linkname": _by_name(one.linknames for one in contents.values()),
        "requests": {key: progress.get("requests", {}).get(key, 0) for key in COUNTS},
        "files": [_part_entry(part, contents[part.name]) for part in state.parts()]
        + _text_entries(ledger.folder),
        "server": {"base_url": job.get("server", {}).get("base_url"), "builds": dict(builds)},
    }
    if rounds := state.rounds():
        manifest["rounds"] = [
            {"round": one.round, "uids": one.uids, "links": one.links} for one in rounds
        ]
    if state.get("source") == PARTIAL:
        manifest["partial_source"] = True
    _write(ledger.folder, manifest)


def write_chain_manifest(folder: Path) -> None:
    """Write the manifest of a chain: the files of all hops, and sums of their counts.

    A hop without a manifest has not ended; the chain then has none either.
    """
    hops = {hop.name: read_manifest(hop) for hop in hop_folders(folder)}
    told = {name: one for name, one in hops.items() if one is not None}
    if not told or len(told) < len(hops):
        return
    many = list(told.values())
    job = read_job(folder)
    files = [
        entry | {"name": f"{name}/{entry['name']}"}
        for name, one in told.items()
        for entry in one["files"]
    ]
    files += [_text_entry(folder, f"{name}/{MANIFEST}", "manifest") for name in told]
    manifest: Manifest = {
        "format": FORMAT,
        "harvester": many[-1]["harvester"],
        "state": chain_state(one["state"] for one in many),
        "started_at": min((one["started_at"] for one in many if one["started_at"]), default=None),
        "ended_at": max((one["ended_at"] for one in many if one["ended_at"]), default=None),
        "job": job,
        "uids": sums(one["uids"] for one in many),
        "links": sum(one["links"] for one in many),
        "by_linkname": _by_name(one["by_linkname"] for one in many),
        "requests": sums(one["requests"] for one in many),
        "files": files + _text_entries(folder),
        "server": many[0]["server"]
        | {"builds": {db: b for one in many for db, b in one["server"]["builds"].items()}},
    }
    if any(one.get("partial_source") for one in many):
        manifest["partial_source"] = True
    _write(folder, manifest)


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a harvest or a chain; None without one.

    Raises:
        FolderError: it is damaged, or was written by a newer version.
    """
    path = folder / MANIFEST
    try:
        with opening(path):
            found = json.loads(path.read_bytes()) if path.exists() else None
        if found is None:
            return None
        number = found["format"]
        assert not any(_is_outside(entry["name"]) for entry in found["files"])
    except (ValueError, TypeError, KeyError, AssertionError) as error:
        raise FolderError(
            f"{path} is damaged: it is not the manifest of a harvest. Restore it from a backup, "
            f"or delete it and run `harvester resume {folder}`, which writes it again."
        ) from error
    if number != FORMAT:
        raise FolderError(f"{path} was written by a newer version of harvester; update this one.")
    manifest: Manifest = found
    return manifest


def part_kind(part: Part) -> str:
    """Return the kind of a part in the manifest: what its rows are."""
    if part.name.startswith(f"{RECORDS}/"):
        return RECORDS
    return {"unanswered": "uids", "again": "links"}.get(part.kind, part.kind)


def _by_name(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    return dict(sorted(sums(counts).items()))


def _is_outside(name: str) -> bool:
    """Return whether a name leads out of the folder: manifests may come from untrusted sources."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name


def _write(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    durable.write_text(folder / MANIFEST, f"{text}\n")


def _part_entry(part: Part, contents: Contents) -> Manifest:
    return _entry(part.name, part_kind(part), part.rows, part.bytes, contents.sha256)


def _text_entries(folder: Path) -> list[Manifest]:
    found = {name: kind for name, kind in _TEXTS.items() if (folder / name).is_file()}
    return [_text_entry(folder, name, kind) for name, kind in found.items()]


def _text_entry(folder: Path, name: str, kind: str) -> Manifest:
    written = durable.both_checksums(folder / name)
    return _entry(name, kind, _rows(folder / name, kind), written.bytes, written.sha256)


def _rows(path: Path, kind: str) -> int | None:
    """Return the entries of a list; None for a file that has no rows."""
    heads = {"unanswered": 0, "rejected": 1}
    if kind not in heads:
        return None
    with path.open("rb") as stream:
        return sum(1 for _ in stream) - heads[kind]


def _entry(name: str, kind: str, rows: int | None, size: int, sha256: str) -> Manifest:
    return {"name": name, "kind": kind, "rows": rows, "bytes": size, "sha256": sha256}
