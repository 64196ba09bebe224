"""Compare files with their records: size, checksums, and rows."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harvester import events
from harvester.errors import FolderError
from harvester.model import lazy_compute as pc
from harvester.store import durable
from harvester.store.folder import RECORDS
from harvester.store.parts import FOLDERS, is_part_name, read_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from harvester.store.state_reader import Part


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that was compared with its record.

    Attributes:
        name: path below the folder, with forward slashes.
        why: what is wrong with it, as a half sentence; None if nothing is.
        note: a further remark.
        is_unrecorded: whether it has no record.
    """

    name: str
    why: str | None = None
    note: str | None = None
    is_unrecorded: bool = False

    @property
    def ok(self) -> bool:
        """True if the file matches its record."""
        return self.why is None


@dataclass(slots=True)
class Counted:
    """Numbers of rows of files, and of rows with each linkname or outcome."""

    rows: int = 0
    linknames: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counted) -> None:
        """Add the rows of other files."""
        self.rows += other.rows
        self.linknames.update(other.linknames)
        self.outcomes.update(other.outcomes)


@dataclass(frozen=True, slots=True)
class FileRecord:
    """The record of a file.

    Attributes:
        part: name, kind, rows, size and, if it is known, checksum.
        sha256: of the manifest; empty without one.
        schema: schema of its rows; None if they are not read.
    """

    part: Part
    sha256: str = ""
    schema: pa.Schema | None = None


def check_all(
    folder: Path, records: Sequence[FileRecord], emit: events.Listener = lambda _: None
) -> tuple[list[CheckedFile], Counted]:
    """Compare files with their records, in threads; return each, and the rows of all.

    Args:
        folder: folder of a harvest.
        records: of the files.
        emit: receives the progress.
    """
    files, counted = [], Counted()
    emit(events.ReadProgress(0, len(records), "file"))
    with ThreadPoolExecutor() as pool:  # hashing and reading release the interpreter lock
        for file, one in pool.map(lambda record: _check(folder, record), records):
            files.append(file)
            counted.add(one)
            emit(events.ReadProgress(len(files), len(records), "file"))
    return files, counted


def _check(folder: Path, record: FileRecord) -> tuple[CheckedFile, Counted]:
    part, nothing = record.part, Counted()
    if why := _wrong_bytes(folder / part.name, record):
        return CheckedFile(part.name, why), nothing
    if record.schema is None:
        return CheckedFile(part.name), nothing
    try:
        counted = _count(read_part(folder, part, record.schema), part.kind)
    except FolderError:
        return CheckedFile(part.name, f"does not hold rows of {part.kind}"), nothing
    if counted.rows != part.rows:
        return CheckedFile(part.name, f"has {counted.rows:,} rows, not {part.rows:,}"), nothing
    return CheckedFile(part.name), counted


def _wrong_bytes(path: Path, record: FileRecord) -> str | None:
    part = record.part
    try:
        if not path.is_file():
            return "is missing"
        if path.stat().st_size != part.bytes:
            return "has another size than when it was committed"
        written = durable.both_checksums(path) if record.sha256 else durable.checksum(path)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    expected = {part.checksum: written.checksum, record.sha256: written.sha256}
    if any(known and known != now for known, now in expected.items()):
        return "is not as it was committed (its checksum differs)"
    return None


def _count(tables: Iterable[pa.Table], kind: str) -> Counted:
    """Return the rows of a part, and those of each linkname or outcome."""
    found = Counted()
    for table in tables:
        found.rows += table.num_rows
        for name, counts in (("linkname", found.linknames), ("outcome", found.outcomes)):
            if kind in ("links", "uids", "unanswered") and name in table.column_names:
                counted = pc.value_counts(table[name])
                pairs = zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True)
                counts.update({value: count for value, count in pairs if value is not None})
    return found


def unrecorded_files(folder: Path, names: Iterable[str], *, settled: bool) -> Iterator[CheckedFile]:
    """Yield files among the parts that have no record.

    Args:
        folder: folder of a harvest.
        names: names of the recorded files.
        settled: whether the harvest is complete; until then, the next run deletes parts that
            were written and not committed.
    """
    known = set(names)
    for kind in sorted({*FOLDERS.values(), RECORDS}):
        for path in sorted((folder / kind).glob("*")):
            name = f"{kind}/{path.name}"
            if name in known or path.is_dir() or path.name.startswith("."):
                continue
            if settled or not is_part_name(path.name):
                yield CheckedFile(name, "is not of this harvest: nothing records it", None, True)
