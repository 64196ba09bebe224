"""Links added and removed between two harvests: counted, and written to files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.runs.compare import Compared, check_comparable, compare
from harvester.store import durable
from harvester.store.folder import result_errors
from harvester.store.identity import server_name
from harvester.store.reader import HarvestReader
from harvester.store.sinks import make_sink
from harvester.store.unfinished import check_complete, folders_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from harvester import events

PART_ROWS = 1 << 20
"""Rows per file, about."""

ADDED, REMOVED = "added", "removed"
"""Folders of the files."""


def diff(
    old: Path,
    new: Path,
    out: Path | None = None,
    *,
    partial: bool | None = False,
    warn: Callable[[str], None] = lambda _: None,
    emit: events.Listener = lambda _: None,
) -> Compared:
    """Compare the links of two harvests of one job, or of two chains hop by hop.

    Args:
        old: folder of the earlier harvest or chain; neither is changed.
        new: folder of the later one.
        out: a new folder for the links that differ, as Parquet files with the columns of `links`
            in `added/` and `removed/`, of a chain in a folder per hop; None: only count them.
        partial: accept unfinished harvests; None: refuse them without naming `--partial`.
        warn: receives a sentence about what is not compared.
        emit: receives the progress.

    Raises:
        BadInput: a folder holds no harvest or an unfinished one, they are of different jobs, or
            `out` holds something.
        FolderError: a harvest is damaged, or the disk is full.
    """
    target = None if out is None else Path(os.path.abspath(out))  # noqa: PTH100 - without ..
    if target is not None:
        _check_free(target)
    pairs = {
        hop: _opened(*folders, partial, warn) for hop, folders in _pairs(old, new, partial).items()
    }
    if target is None:
        return _joined({hop: compare(*pair, emit=emit) for hop, pair in pairs.items()})
    aside = target.with_name(f".{target.name}.writing")
    with result_errors(target):
        shutil.rmtree(aside, ignore_errors=True)
        try:
            found = {hop: _written(*pair, aside / hop, emit) for hop, pair in pairs.items()}
            durable.move_folder(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return _joined(found)


def _pairs(old: Path, new: Path, partial: bool | None) -> dict[str, tuple[Path, Path]]:
    """Return name of the hop → the two folders to compare; the name is empty for single harvests.

    Raises:
        BadInput: one is a chain and the other is not, or they have different hops.
    """
    before, now = (
        {"" if one == folder else one.name: one for one in folders_of(folder, partial=partial)}
        for folder in (old, new)
    )
    if before.keys() != now.keys():
        raise BadInput(f"{old} and {new} are of different jobs: their hops differ.")
    return {hop: (before[hop], now[hop]) for hop in now}


def _opened(
    old: Path, new: Path, partial: bool | None, warn: Callable[[str], None]
) -> tuple[HarvestReader, HarvestReader]:
    """Open two harvests; check that they can be compared."""
    pair = HarvestReader.open(old), HarvestReader.open(new)
    check_comparable(*pair)
    for found in pair:
        check_complete(found, warn, partial=partial)
    servers = [(one.identity or {}).get("server", {}).get("base_url", "") for one in pair]
    if len(set(map(server_name, servers))) > 1:
        warn(f"The harvests are of two servers: {servers[0]} and {servers[1]}.")
    return pair


def _written(
    before: HarvestReader, now: HarvestReader, folder: Path, emit: events.Listener
) -> Compared:
    """Compare two harvests, and write the links that differ into a folder."""
    files = [_Files(folder / name, now.schema) for name in (ADDED, REMOVED)]

    def take(*tables: pa.Table) -> None:
        for one, rows in zip(files, tables, strict=True):
            one.add(rows)

    compared = compare(before, now, take, emit)
    for one in files:
        one.close()
    return compared


def _joined(found: dict[str, Compared]) -> Compared:
    return found[""] if "" in found else Compared.of_hops(found)


def _check_free(out: Path) -> None:
    """Check that a folder can be made.

    Raises:
        BadInput: something is there.
    """
    for path in (out, *out.parents):
        if path.is_file():
            raise BadInput(f"{path} is a file, not a folder; give another folder.")
    if out.is_dir() and any(out.iterdir()):
        raise BadInput(f"{out} is not empty; give another folder.")


class _Files:
    """Parquet files of about `PART_ROWS` rows in a folder; one without rows if there are none.

    Args:
        folder: made for them.
        schema: schema of the rows.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        durable.make_folder(folder)
        self._folder = folder
        self._held = [schema.empty_table()]
        self._rows = self._count = 0

    def add(self, rows: pa.Table) -> None:
        """Add rows."""
        if len(rows):
            self._held.append(rows.cast(self._held[0].schema))
            self._rows += len(rows)
        if self._rows >= PART_ROWS:
            self._write()

    def close(self) -> None:
        """Write what is left."""
        if self._rows or not self._count:
            self._write()

    def _write(self) -> None:
        sink, tables = make_sink("parquet", "zstd"), self._held
        path = self._folder / f"part-{self._count:05}{sink.suffix}"
        durable.write(path, lambda stream: sink.write(tables[1:] or tables, stream))
        self._held = tables[:1]
        self._rows, self._count = 0, self._count + 1
