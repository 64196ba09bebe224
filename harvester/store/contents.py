"""Content of a harvest's parts: the SHA-256 of each, and counts of its links.

Both require reading every file. They are kept in the state, so that a later run reads only new
files.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.errors import FolderError
from harvester.store import durable
from harvester.store.name_counts import COLUMNS, NameCounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.store.ledger import Ledger
    from harvester.store.state_reader import Part

_KEY = "contents"
"""Key in `meta`."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Content of one part.

    Attributes:
        checksum: of the part, as it was committed.
        sha256: SHA-256 of the file, in hexadecimal.
        linknames: linkname → rows; empty for parts of other kinds than links.
        databases: linked database → rows.
    """

    checksum: str
    sha256: str
    linknames: Mapping[str, int] = field(default_factory=dict)
    databases: Mapping[str, int] = field(default_factory=dict)


def read_contents(ledger: Ledger) -> dict[str, Contents]:
    """Return the content of each committed part, by name; new files are read once.

    Raises:
        FolderError: a part is not as it was committed.
    """
    kept = json.loads(ledger.state.get(_KEY) or "{}")
    parts = ledger.state.parts()

    def look(part: Part) -> Contents:
        known = kept.get(part.name)
        if known is not None and known["checksum"] == part.checksum:
            return Contents(**known)
        return _read(ledger, part)

    with ThreadPoolExecutor() as pool:  # hashing and reading release the interpreter lock
        found = {part.name: one for part, one in zip(parts, pool.map(look, parts), strict=True)}
    told = {name: asdict(one) for name, one in found.items()}
    if told != kept:
        ledger.state.put(**{_KEY: json.dumps(told)})
    return found


def _read(ledger: Ledger, part: Part) -> Contents:
    path = ledger.folder / part.name
    written = durable.both_checksums(path)
    if written.checksum != part.checksum:
        raise FolderError(
            f"{path} is not as it was committed (its checksum differs). "
            f"Run `harvester verify {ledger.folder}` and restore the file from a backup."
        )
    counts = ledger.parts.counts.get(part.name)
    if counts is None:
        counts = _count(ledger, part)
    return Contents(
        written.checksum, written.sha256, dict(counts.linknames), dict(counts.databases)
    )


def _count(ledger: Ledger, part: Part) -> NameCounts:
    """Count the rows of a part that an earlier run wrote."""
    found = NameCounts()
    names = [name for name in COLUMNS if name in ledger.schema.names]
    if part.kind == "links" and names:
        schema = pa.schema([ledger.schema.field(name) for name in names])
        for table in ledger.parts.read([part], schema):
            found.add(table)
    return found
