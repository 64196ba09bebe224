"""The parts of a harvest on disk: written, read, looked at and deleted, whatever their form."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from harvester.store import durable
from harvester.store.folder import LINKS, RAW, SWEEPS, UIDS
from harvester.store.sinks import make_sink
from harvester.store.state import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from harvester.store.sinks import Sink

FOLDERS = {"links": LINKS, "uids": UIDS, "unanswered": UIDS, "again": SWEEPS, "raw": RAW}
"""Kind of a part → its folder."""

_PASSING = (SWEEPS, RAW)
"""Folders that are there only while there is something in them."""

SLICES = f"{SWEEPS}/slices"
"""Made and removed while sweeps are united."""

_PART = re.compile(r"part-(\d{5,})\.[a-z.]+|\.part-\d{5,}\.[a-z.]+\.tmp")


class Parts:
    """The files that the state names, in their folders.

    Args:
        folder: of the harvest.
        sink: writes and reads them.
        rows: the folder of the rows of `links`, which may be of another kind.
    """

    def __init__(self, folder: Path, sink: Sink, rows: str = LINKS) -> None:
        self._folder = folder
        self._folders = FOLDERS | {"links": rows}
        self._sink = sink
        self._next = 0

    def tidy(self, recorded: Sequence[Part]) -> None:
        """Make the folders, and delete in them what no record names."""
        shutil.rmtree(self._folder / SLICES, ignore_errors=True)
        names = {part.name for part in recorded}
        for folder in dict.fromkeys(self._folders.values()):
            if folder not in _PASSING:
                durable.make_folder(self._folder / folder)
            durable.remove(
                path
                for path in (self._folder / folder).glob("*")
                if f"{folder}/{path.name}" not in names and _PART.fullmatch(path.name)
            )
        self._close_empty()
        numbers = [int(name.split("part-")[1].split(".")[0]) for name in names]
        self._next = max(numbers, default=-1) + 1

    def write(self, kind: str, tables: Iterable[pa.Table]) -> Part:
        """Rows as a part of its own."""
        sink, rows = self._of(kind), 0

        def counted() -> Iterator[pa.Table]:
            nonlocal rows
            for table in tables:
                rows += table.num_rows
                yield table

        part = self._written(kind, rows, lambda stream: sink.write(counted(), stream))
        return replace(part, rows=rows)

    def merge(self, parts: Sequence[Part]) -> Part:
        """The rows of several parts of a kind as one."""
        rows = sum(part.rows for part in parts)
        opened = self._opened(parts)
        return self._written(parts[0].kind, rows, lambda stream: self._sink.merge(opened, stream))

    def read(self, parts: Iterable[Part], schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of parts, in tables that fit the memory."""
        for part in parts:
            for stream in self._opened([part]):
                yield from self._of(part.kind).read(stream, schema)

    def delete(self, parts: Iterable[Part]) -> None:
        """Remove files; those that are gone are gone."""
        durable.remove(self._folder / part.name for part in parts)
        self._close_empty()

    def damage(self, parts: Sequence[Part], *, whole: bool) -> list[str]:
        """What is wrong with files, in half a sentence each.

        Args:
            parts: as they were committed.
            whole: read them whole, rather than look at their sizes.
        """

        def look(part: Part) -> str | None:
            path = self._folder / part.name
            if not path.is_file():
                return f"{path} is missing"
            if path.stat().st_size != part.bytes:
                return f"{path} has another size than when it was committed"
            if whole and durable.checksum(path).checksum != part.checksum:
                return f"{path} is not as it was committed (its checksum differs)"
            return None

        with ThreadPoolExecutor() as pool:  # hashing and reading let go of the interpreter
            return [wrong for wrong in pool.map(look, parts) if wrong]

    def _close_empty(self) -> None:
        """Some folders are there only while there is something in them."""
        for folder in _PASSING:
            with suppress(OSError):
                (self._folder / folder).rmdir()
                durable.sync_folder(self._folder)

    def _written(self, kind: str, rows: int, fill: durable.Fill) -> Part:
        name = f"{self._folders[kind]}/part-{self._next:05}{self._of(kind).suffix}"
        self._next += 1
        if self._folders[kind] in _PASSING:
            durable.make_folder(self._folder / self._folders[kind])
        written = durable.write(self._folder / name, fill)
        return Part(name, kind, rows, written.bytes, written.checksum)

    def _of(self, kind: str) -> Sink:
        """Answers are bytes, which JSON has no form for."""
        return make_sink("parquet", "zstd") if kind == "raw" else self._sink

    def _opened(self, parts: Iterable[Part]) -> Iterator[IO[bytes]]:
        """One part open at a time: a night makes thousands, and systems permit fewer files."""
        for part in parts:
            with (self._folder / part.name).open("rb") as stream:
                yield stream
