"""The parts of a harvest on disk: write, read, check and delete them, in any format."""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from harvester.errors import FolderError
from harvester.store import durable
from harvester.store.folder import LINKS, RAW, SWEEPS, UIDS
from harvester.store.name_counts import NameCounts
from harvester.store.sinks import make_sink, sink_of
from harvester.store.state_reader import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harvester.store.sinks import Sink

FOLDERS = {"links": LINKS, "uids": UIDS, "unanswered": UIDS, "again": SWEEPS, "raw": RAW}
FOLDERS |= {"refreshed": SWEEPS, "confirmed": SWEEPS}
"""Kind of a part → its folder."""

_OPTIONAL = (SWEEPS, RAW)
"""Folders that exist only while they hold files."""

SPILLED = f"{SWEEPS}/slices"
"""Folder of temporary files while a pass is merged."""

_PART = re.compile(r"\.?part-(\d{5,})(-[0-9a-f]{8})?\.[a-z.]+")


class Parts:
    """The files that the state records, in their folders.

    Args:
        folder: folder of the harvest.
        sink: writes new parts.
        rows: name of the folder for parts of the kind `links`: `links`, or `records`.
        tag: eight hexadecimal digits in the names of new parts; empty for none.

    Attributes:
        counts: name of a part of links that was written or merged → counts of its rows.
    """

    def __init__(self, folder: Path, sink: Sink, rows: str = LINKS, tag: str = "") -> None:
        self._folder = folder
        self._tag = f"-{tag}" if tag else ""
        self._folders = FOLDERS | {"links": rows}
        self._sink = sink
        self._next = 0
        self.counts: dict[str, NameCounts] = {}

    def tidy(self, recorded: Sequence[Part]) -> None:
        """Create the folders, and delete parts in them that are not recorded."""
        shutil.rmtree(self._folder / SPILLED, ignore_errors=True)
        names = {part.name for part in recorded}
        for folder in dict.fromkeys(self._folders.values()):
            if folder not in _OPTIONAL:
                durable.make_folder(self._folder / folder)
            durable.remove(
                path
                for path in (self._folder / folder).glob("*")
                if f"{folder}/{path.name}" not in names and _PART.fullmatch(path.name)
            )
        self._remove_empty()
        found = (_PART.search(name) for name in names)
        self._next = max((int(one[1]) for one in found if one), default=-1) + 1

    def write(self, kind: str, tables: Iterable[pa.Table]) -> Part:
        """Write rows as a new part."""
        sink, rows, counts = self._sink_for(kind), 0, NameCounts()

        def counted() -> Iterator[pa.Table]:
            nonlocal rows
            for table in tables:
                rows += table.num_rows
                if kind == "links":
                    counts.add(table)
                yield table

        part = self._written(kind, rows, lambda stream: sink.write(counted(), stream))
        if kind == "links":
            self.counts[part.name] = counts
        return replace(part, rows=rows)

    def holds(self, part: Part, tables: Sequence[pa.Table]) -> bool:
        """Return whether writing these rows again would give the same file as a part."""
        sink = self._sink_for(part.kind)
        written = durable.would_write(lambda stream: sink.write(tables, stream))
        return (part.bytes, part.checksum) == (written.bytes, written.checksum)

    def merge(self, parts: Sequence[Part]) -> Part:
        """Write the rows of several parts of one kind as a new part.

        Raises:
            FolderError: a part is not as it was committed.
        """
        self.check(parts)
        rows = sum(part.rows for part in parts)
        opened = self._opened(parts)
        try:
            merged = self._written(
                parts[0].kind, rows, lambda stream: self._sink.merge(opened, stream)
            )
        except (pa.ArrowException, ValueError, EOFError) as error:
            names = f"{self._folder / parts[0].name} to {parts[-1].name}"
            raise FolderError(f"{names} cannot be merged. {_remedy(self._folder)}") from error
        if all(part.name in self.counts for part in parts):
            self.counts[merged.name] = NameCounts.sum(self.counts.pop(p.name) for p in parts)
        return merged

    def adopt(self, folder: Path, part: Part) -> Part:
        """Take a file of another harvest as a new part, as it is.

        Args:
            folder: folder of the other harvest.
            part: its part, in the format of this harvest.

        Raises:
            FolderError: the file is not as it was committed.
        """
        name = self._next_name(part.kind)
        copied = durable.link(folder / part.name, self._folder / name)
        if copied is not None and copied.checksum != part.checksum:
            raise FolderError(f"{folder / part.name} is not as it was committed. {_remedy(folder)}")
        return replace(part, name=name)

    def check(self, parts: Sequence[Part]) -> None:
        """Check that parts are as they were committed: rewriting would hide the damage.

        Raises:
            FolderError: one is not; names it.
        """
        for wrong in find_damage(self._folder, parts, whole=True).values():
            raise FolderError(f"{wrong}. {_remedy(self._folder)}")

    def read(self, parts: Iterable[Part], schema: pa.Schema) -> Iterator[pa.Table]:
        """Yield the rows of parts, in tables that fit in memory.

        Raises:
            FolderError: a part is missing or damaged.
        """
        for part in parts:
            yield from read_part(self._folder, part, schema)

    def delete(self, parts: Iterable[Part]) -> None:
        """Delete the files; missing files are ignored."""
        durable.remove(self._folder / part.name for part in parts)
        self._remove_empty()

    def _remove_empty(self) -> None:
        for folder in _OPTIONAL:
            with suppress(OSError):
                (self._folder / folder).rmdir()
                durable.sync_folder(self._folder)

    def _written(self, kind: str, rows: int, fill: durable.Fill) -> Part:
        name = self._next_name(kind)
        written = durable.write(self._folder / name, fill)
        return Part(name, kind, rows, written.bytes, written.checksum)

    def _next_name(self, kind: str) -> str:
        """Return the name of the next part of a kind; its folder exists."""
        name = f"{self._folders[kind]}/part-{self._next:05}{self._tag}{self._sink_for(kind).suffix}"
        self._next += 1
        if self._folders[kind] in _OPTIONAL:
            durable.make_folder(self._folder / self._folders[kind])
        return name

    def _sink_for(self, kind: str) -> Sink:
        """Return the sink of a kind. Responses are bytes, which JSON cannot hold."""
        return make_sink("parquet", "zstd") if kind == "raw" else self._sink

    def _opened(self, parts: Iterable[Part]) -> Iterator[IO[bytes]]:
        """Yield opened parts, one at a time: a night makes more than systems let a process open."""
        for part in parts:
            with (self._folder / part.name).open("rb") as stream:
                yield stream


def is_part_name(name: str) -> bool:
    """Return whether a file of this name is a part, or one that is being written."""
    return _PART.fullmatch(name) is not None


def read_part(folder: Path, part: Part, schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of a part, in tables that fit in memory; the file's suffix is its format.

    Args:
        folder: folder of the harvest.
        part: the part.
        schema: schema of the rows; columns of the part that it lacks are left out.

    Raises:
        FolderError: the part is missing or damaged.
    """
    path = folder / part.name
    try:
        with path.open("rb") as stream:
            _check_size(stream, part)
            yield from sink_of(part.name).read(stream, schema)
    except FileNotFoundError:
        raise FolderError(f"{path} is missing. {_remedy(folder)}") from None
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        why = getattr(error, "strerror", None)
        state = f"cannot be read ({why})" if why else "is damaged"
        raise FolderError(f"{path} {state}. {_remedy(folder)}") from error


def _check_size(stream: IO[bytes], part: Part) -> None:
    """Check the size of an opened part: JSON lines may be cut or continued and stay readable."""
    if os.fstat(stream.fileno()).st_size != part.bytes:
        raise ValueError(f"{part.name} has another size than when it was committed")


def find_damage(folder: Path, parts: Sequence[Part], *, whole: bool) -> dict[Part, str]:
    """Compare files with what was recorded of them at their commit.

    Args:
        folder: folder of the harvest.
        parts: the parts, as recorded.
        whole: compare checksums; otherwise only sizes.

    Returns:
        Damaged part → what is wrong, as half a sentence that begins with its path.
    """

    def look(part: Part) -> str | None:
        path = folder / part.name
        if not path.is_file():
            return f"{path} is missing"
        if path.stat().st_size != part.bytes:
            return f"{path} has another size than when it was committed"
        if whole and durable.checksum(path).checksum != part.checksum:
            return f"{path} is not as it was committed (its checksum differs)"
        return None

    with ThreadPoolExecutor() as pool:  # hashing and reading release the interpreter lock
        looked = zip(parts, pool.map(look, parts), strict=True)
        return {part: wrong for part, wrong in looked if wrong}


def _remedy(folder: Path) -> str:
    return f"Run `harvester verify {folder}` and restore the file from a backup."
