"""Check `manifest.json` against the files it describes, without the program's code."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from support.link_rows import read_bytes
from support.schemas import assert_follows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDERS = ("links", "uids", "raw", "records")
TEXTS = {"job.toml": "job", "unanswered.txt": "unanswered", "rejected.tsv": "rejected"}

Row = dict[str, Any]


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a folder, or None."""
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def assert_absent_or_exact(folder: Path) -> bool:
    """Assert that any manifest describes the folder exactly; return whether there is one."""
    manifest = manifest_of(folder)
    if manifest is not None:
        assert_exact_manifest(folder)
    return manifest is not None


def assert_exact_manifest(folder: Path) -> dict[str, Any]:
    """Assert that the manifest exists, follows its schema, and agrees with every file and row."""
    manifest = manifest_of(folder)
    assert manifest is not None, f"{folder} has no manifest"
    assert_follows("manifest", manifest)
    listed = {entry["name"]: entry for entry in manifest["files"]}
    assert len(listed) == len(manifest["files"])
    assert listed.keys() == set(_names(folder))
    for name, entry in listed.items():
        _assert_entry(folder / name, entry)
    links = list(_rows(folder, listed, "links", "records"))
    assert manifest["links"] == len(links)
    named = Counter(row["linkname"] for row in links if row.get("linkname") is not None)
    assert manifest["by_linkname"] == named
    outcomes = Counter(row["outcome"] for row in _rows(folder, listed, "uids"))
    told = dict(manifest["uids"])
    assert told.pop("total") == outcomes.total()
    assert {name: count for name, count in told.items() if count} == outcomes
    failures = outcomes["missing"] + outcomes["failed"]
    assert manifest["state"] == ("complete_with_failures" if failures else "complete")
    assert manifest["job"] == tomllib.loads((folder / "job.toml").read_text(encoding="utf-8"))
    assert manifest["started_at"] <= manifest["ended_at"]
    return manifest


def _names(folder: Path) -> Iterator[str]:
    """Return the files that a manifest has to list: of a harvest, or of all hops of a chain."""
    for hop in sorted(folder.glob("hop-*")):
        yield from (f"{hop.name}/{name}" for name in _names(hop))
        yield f"{hop.name}/manifest.json"
    yield from (name for name in TEXTS if (folder / name).exists())
    for kind in FOLDERS:
        for path in (folder / kind).glob("*"):
            if path.is_file():
                yield f"{kind}/{path.name}"


def _assert_entry(path: Path, entry: Row) -> None:
    content = path.read_bytes()
    assert entry["bytes"] == len(content), path
    assert entry["sha256"] == hashlib.sha256(content).hexdigest(), path
    kind = TEXTS.get(path.name) or ("manifest" if path.suffix == ".json" else path.parent.name)
    assert entry["kind"] == kind
    if kind in ("job", "manifest"):
        assert entry["rows"] is None
    elif kind in TEXTS.values():
        assert entry["rows"] == content.count(b"\n") - (kind == "rejected")
    else:
        assert entry["rows"] == len(_read(path)), path


def _rows(folder: Path, listed: Iterable[str], *kinds: str) -> Iterator[Row]:
    for name in listed:
        if Path(name).parent.name in kinds:
            yield from _read(folder / name)


def _read(path: Path) -> list[Row]:
    if path.suffix == ".parquet":
        rows: list[Row] = pq.read_table(path).to_pylist()
        return rows
    return [json.loads(line) for line in read_bytes(path).decode("utf-8").split("\n")[:-1]]
