"""Check the files of a harvest against their records.

The records are the state, and the manifest if there is one. A data set that was handed over without
`state.sqlite` is checked against its manifest alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from harvester.errors import BadInput, FolderError, FolderInUse
from harvester.model.row_schemas import link_schema
from harvester.model.schemas import UIDS, with_ids
from harvester.runs.checked_files import (
    CheckedFile,
    Counted,
    FileRecord,
    check_all,
    unrecorded_files,
)
from harvester.store.folder import MANIFEST, RAW, RECORDS, harvest_folders, is_locked
from harvester.store.manifest import part_kind, read_manifest
from harvester.store.opening import holds
from harvester.store.reader import HarvestReader
from harvester.store.state_reader import FILE, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harvester import events
    from harvester.store.manifest import Manifest

_HANDED_OVER = ("links", "uids", "records")
"""Kinds of files that a data set without `state.sqlite` must have. Others may have been kept back,
but only all files of a kind."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of `verify`.

    Attributes:
        files: each file that is recorded or should not be there.
        rows: rows of the files that were read.
        notes: sentences about how the files were checked.
    """

    files: Sequence[CheckedFile]
    rows: int = 0
    notes: Sequence[str] = ()

    @property
    def damage(self) -> list[CheckedFile]:
        """The files that differ from their records."""
        return [one for one in self.files if not one.ok]

    @property
    def ok(self) -> bool:
        """True if all files match their records."""
        return not self.damage


def verify(folder: Path, emit: events.Listener = lambda _: None) -> Verified:
    """Read every recorded file of a harvest and compare it with its record.

    Args:
        folder: folder of a harvest.
        emit: receives the progress.

    Raises:
        BadInput: it holds no harvest.
        FolderInUse: another process runs the harvest.
        FolderError: its state is damaged.
    """
    if is_locked(folder):
        raise FolderInUse(f"A harvest is running in {folder}. Verify it once it has ended.")
    found = HarvestReader.open(folder)
    manifest, wrong = _read(folder)
    entries = {} if manifest is None else {entry["name"]: entry for entry in manifest["files"]}
    names = {part.name for part in found.parts}
    records = [
        FileRecord(part, entries.get(part.name, {}).get("sha256", ""), found.part_schema(part))
        for part in found.parts
    ]
    records += [_record(entry) for name, entry in entries.items() if name not in names]
    files, counted = check_all(folder, records, emit)
    files += unrecorded_files(folder, names | entries.keys(), settled=found.complete)
    if why := _wrong_state(found):
        files.append(CheckedFile(FILE, why))
    if manifest is not None:
        sound = all(one.ok for one in files)
        why = _disagreement(found, entries) or (_wrong_counts(manifest, counted) if sound else None)
        files.append(CheckedFile(MANIFEST, why))
    elif wrong:
        files.append(CheckedFile(MANIFEST, wrong))
    notes = () if manifest or wrong else (_without_manifest(found),)
    return Verified(files, counted.rows, notes)


def is_handed_over(folder: Path) -> bool:
    """Return whether a folder has a manifest but no state to resume from."""
    if not holds(folder, MANIFEST):
        return False
    states = [FILE, *(f"{path.name}/{FILE}" for path in folder.glob("hop-*"))]
    return not any((folder / one).exists() for one in states)


def verify_handed_over(folder: Path, emit: events.Listener = lambda _: None) -> Verified:
    """Compare files with the manifest alone.

    Args:
        folder: folder with a manifest and without `state.sqlite`, of a harvest or a chain.
        emit: receives the progress.

    Raises:
        FolderError: the manifest is damaged.
    """
    manifest = read_manifest(folder)
    assert manifest is not None
    is_chain = "hop" in manifest["job"]
    schemas = {} if is_chain else _schemas(manifest["job"])
    there, records, kept = _kinds_in(folder, manifest), [], []
    for entry in manifest["files"]:
        if entry["kind"] in (*_HANDED_OVER, *there):
            records.append(_record(entry, schemas.get(entry["kind"])))
        else:
            kept.append(CheckedFile(entry["name"], note="was not handed over"))
    files, counted = check_all(folder, records, emit)
    if not is_chain:
        names = {entry["name"] for entry in manifest["files"]}
        files += unrecorded_files(folder, names, settled=True)
    sound = not is_chain and all(one.ok for one in files) and bool(schemas)
    files.append(CheckedFile(MANIFEST, _wrong_counts(manifest, counted) if sound else None))
    note = f"Without {FILE}, the files were compared with {MANIFEST} alone."
    if kept:
        note += f" Not handed over: {', '.join(one.name for one in kept)}."
    return Verified([*files, *kept], counted.rows, [note])


def verify_chain_files(folder: Path) -> Verified | None:
    """Check the manifest of a chain and the files beside the hops; None without a manifest.

    The files of the hops are checked with the hops.
    """
    manifest, wrong = _read(folder)
    if manifest is None:
        return Verified([CheckedFile(MANIFEST, wrong)]) if wrong else None
    hops = [path.name for path in harvest_folders(folder)]
    own, theirs = [], {}
    for entry in manifest["files"]:
        if entry["name"].partition("/")[0] in hops and entry["kind"] != "manifest":
            theirs[entry["name"]] = entry["sha256"]
        else:
            own.append(_record(entry))
    files, counted = check_all(folder, own)
    told = {
        f"{hop}/{entry['name']}": entry["sha256"]
        for hop in hops
        for entry in (_read(folder / hop)[0] or {"files": []})["files"]
    }
    why = None if told == theirs else "does not list the files of the manifests of the hops"
    return Verified([*files, CheckedFile(MANIFEST, why)], counted.rows)


def _read(folder: Path) -> tuple[Manifest | None, str | None]:
    """Return the manifest, or what is wrong with it, or neither."""
    try:
        return read_manifest(folder), None
    except FolderError as error:
        return None, str(error).removeprefix(f"{folder / MANIFEST} ").removesuffix(".")


def _record(entry: Mapping[str, Any], schema: pa.Schema | None = None) -> FileRecord:
    part = Part(entry["name"], entry["kind"], entry["rows"] or 0, entry["bytes"], "")
    return FileRecord(part, entry["sha256"], schema)


def _schemas(job: Mapping[str, Any]) -> dict[str, pa.Schema]:
    """Return the schema of the rows of links and of UIDs, as the job says."""
    link = job["link"]
    idtype = link.get("idtype", "uid")
    try:
        links = link_schema(
            link.get("cmd", "neighbor"),
            targets_only=link.get("targets_only", False),
            idtype=idtype,
            rounds=link.get("repeat", 1) > 1,
        )
    except KeyError as error:
        raise BadInput(f"{MANIFEST} is of a cmd that this version does not know.") from error
    ids = pa.string() if idtype == "acc" else pa.int64()
    return {"links": links, "uids": with_ids(UIDS, ids)}


def _kinds_in(folder: Path, manifest: Manifest) -> set[str]:
    """Return the kinds of which at least one file exists."""
    return {entry["kind"] for entry in manifest["files"] if (folder / entry["name"]).exists()}


def _wrong_state(found: HarvestReader) -> str | None:
    if len(found.done) != sum(found.outcomes.values()):
        return "has more than one outcome for some UIDs"
    if unknown := found.done - found.wanted:
        return f"has outcomes for {len(unknown):,} UIDs not in the input"
    return None


def _disagreement(found: HarvestReader, entries: Mapping[str, Any]) -> str | None:
    """Return how the manifest differs from the state in the parts that they list."""
    kept = {part.name: (part_kind(part), part.rows, part.bytes) for part in found.parts}
    told = {
        name: (entry["kind"], entry["rows"], entry["bytes"])
        for name, entry in entries.items()
        if entry["kind"] in ("links", "uids", RAW, RECORDS)
    }
    for name in sorted(kept.keys() | told.keys()):
        if kept.get(name) != told.get(name):
            return f"does not describe this folder: it differs from {FILE} in {name}"
    return None


def _wrong_counts(manifest: Manifest, counted: Counted) -> str | None:
    """Return how the counts of a manifest differ from those of the files."""
    told = {name: count for name, count in manifest["uids"].items() if name != "total"}
    if counted.outcomes and counted.outcomes.total() != manifest["uids"]["total"]:
        return f"says {manifest['uids']['total']:,} UIDs, and the files have " + (
            f"{counted.outcomes.total():,}"
        )
    for what, says, have in (
        ("outcome", told, counted.outcomes),
        ("linkname", manifest["by_linkname"], counted.linknames),
    ):
        for name in sorted(says.keys() | have.keys()):
            if says.get(name, 0) != have.get(name, 0):
                return (
                    f"says {says.get(name, 0):,} rows of the {what} {name}, and the files have "
                    f"{have.get(name, 0):,}"
                )
    rows = sum(e["rows"] for e in manifest["files"] if e["kind"] in ("links", RECORDS))
    if rows != manifest["links"]:
        return f"says {manifest['links']:,} links, and its files have {rows:,}"
    return None


def _without_manifest(found: HarvestReader) -> str:
    with_what = f"The files were compared with the checksums in {FILE}."
    if not found.complete:
        return f"The harvest is unfinished, so it has no {MANIFEST}. {with_what}"
    return (
        f"There is no {MANIFEST}. {with_what} `harvester resume {found.folder}` writes one, "
        "without a request."
    )
