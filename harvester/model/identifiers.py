"""UIDs inside are numbers; outside they are written as they are, or as accessions.

With `idtype=acc` the sequence databases speak of records by accession.version (NBK25499): each
gets a number by its place in a list, and the sets and batches of the rest of the program hold
numbers.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import pyarrow as pa

from harvester.model import lazy_compute as pc
from harvester.model import uids as sets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harvester.model.uids import UidArray, UidSet
Listed: TypeAlias = "UidSet | Iterable[str]"
"""What a source lists: a set of UIDs, or with `idtype=acc` accessions."""


class Identifiers(Protocol):
    """How the records of `dbfrom` are named in requests, answers and tables."""

    type: pa.DataType
    """Of the columns from_uid and to_uid."""

    def texts(self, uids: UidArray) -> list[str]:
        """As they are written in a request."""

    def column(self, uids: UidArray) -> pa.Array:
        """As they are written in a table."""

    def numbers(self, column: pa.Array | pa.ChunkedArray) -> UidArray:
        """The numbers behind a column of known ones."""

    def number_all(self, listed: Listed) -> UidSet:
        """The numbers of what a source lists; those never seen get new ones."""

    def dump(self) -> bytes:
        """What must be kept to read the numbers again."""


class Uids:
    """UIDs as they are."""

    type = pa.int64()

    def texts(self, uids: UidArray) -> list[str]:
        """Decimal digits."""
        return list(map(str, uids.tolist()))

    def column(self, uids: UidArray) -> pa.Array:
        """int64."""
        return pa.array(uids)

    def numbers(self, column: pa.Array | pa.ChunkedArray) -> UidArray:
        """The column itself."""
        numbers: UidArray = column.to_numpy()
        return numbers

    def number_all(self, listed: Listed) -> UidSet:
        """The set itself."""
        return listed

    def dump(self) -> bytes:
        """Nothing."""
        return b""


class Accessions:
    """Accessions, numbered from 1 in the order in which they were first seen.

    Args:
        kept: what `dump` gave in an earlier run.
    """

    type = pa.string()

    def __init__(self, kept: bytes | None = None) -> None:
        self._texts = zlib.decompress(kept).decode().split() if kept else []
        self._numbers = {text: number for number, text in enumerate(self._texts, 1)}

    def texts(self, uids: UidArray) -> list[str]:
        """Accessions, with their version where it was given."""
        return [self._texts[number - 1] for number in uids.tolist()]

    def column(self, uids: UidArray) -> pa.Array:
        """String."""
        return pa.array(self.texts(uids), pa.string())

    def numbers(self, column: pa.Array | pa.ChunkedArray) -> UidArray:
        """The number of each."""
        places = pc.index_in(column, value_set=pa.array(self._texts, pa.string()))
        return places.to_numpy(zero_copy_only=False).astype(np.int64) + 1  # type: ignore[no-any-return]

    def number_all(self, listed: Listed) -> UidSet:
        """Their numbers; those never seen get the next."""
        found = set()
        for text in listed:
            number = self._numbers.setdefault(text, len(self._texts) + 1)
            if number > len(self._texts):
                self._texts.append(text)
            found.add(number)
        return sets.as_set(found)

    def dump(self) -> bytes:
        """The list, compressed."""
        return zlib.compress("\n".join(self._texts).encode(), 1)


def identifiers_of(idtype: str, kept: bytes | None = None) -> Identifiers:
    """Those of an `idtype`, `uid` or `acc`, with what an earlier run kept."""
    return Accessions(kept) if idtype == "acc" else Uids()


def numbered(table: pa.Table, froms: Identifiers, tos: Identifiers) -> pa.Table:
    """Rows of links with numbers for accessions; those never seen get new ones."""
    for name, known in (("from_uid", froms), ("to_uid", tos)):
        if known.type != pa.int64():
            known.number_all(pc.unique(table[name]).to_pylist())
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, pa.array(known.numbers(table[name])))
    return table


def written(table: pa.Table, froms: Identifiers, tos: Identifiers) -> pa.Table:
    """Rows of links with the accessions behind the numbers."""
    for name, known in (("from_uid", froms), ("to_uid", tos)):
        if known.type != pa.int64():
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, known.column(table[name].to_numpy()))
    return table
