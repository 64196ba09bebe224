"""Links added and removed between two harvests: counted, and written to files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.runs.compare import check_comparable, compare
from harvester.store import durable
from harvester.store.folder import result_errors
from harvester.store.identity import server_name
from harvester.store.reader import HarvestReader
from harvester.store.sinks import make_sink
from harvester.store.unfinished import check_complete

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from harvester import events
    from harvester.runs.compare import Compared

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
    """Compare the links of two harvests of one job.

    Args:
        old: folder of the earlier harvest; neither is changed.
        new: folder of the later harvest.
        out: a new folder for the links that differ, as Parquet files with the columns of `links`
            in `added/` and `removed/`; None: only count them.
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
    before, now = HarvestReader.open(old), HarvestReader.open(new)
    check_comparable(before, now)
    for found in (before, now):
        check_complete(found, warn, partial=partial)
    servers = [(one.identity or {}).get("server", {}).get("base_url", "") for one in (before, now)]
    if len(set(map(server_name, servers))) > 1:
        warn(f"The harvests are of two servers: {servers[0]} and {servers[1]}.")
    if target is None:
        return compare(before, now, emit=emit)
    aside = target.with_name(f".{target.name}.writing")
    with result_errors(target):
        shutil.rmtree(aside, ignore_errors=True)
        try:
            files = [_Files(aside / name, now.schema) for name in (ADDED, REMOVED)]

            def take(*tables: pa.Table) -> None:
                for one, rows in zip(files, tables, strict=True):
                    one.add(rows)

            compared = compare(before, now, take, emit)
            for one in files:
                one.close()
            durable.move_folder(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return compared


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
