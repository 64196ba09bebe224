"""Names of records in requests, answers and tables: UIDs or accessions.

With `idtype=acc` the sequence databases name records by accession.version (NBK25499). Each
accession gets a number, its place in a list, so that sets and batches hold numbers only.
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
"""What a source returns: a set of UIDs; with `idtype=acc`, accessions."""


class Identifiers(Protocol):
    """Translates between the numbers of the program and the names of records."""

    type: pa.DataType
    """Type of the columns from_uid and to_uid."""

    def texts(self, uids: UidArray) -> list[str]:
        """Return the names as written in a request."""

    def column(self, uids: UidArray) -> pa.Array:
        """Return the names as a column of a table."""

    def numbers(self, column: pa.Array | pa.ChunkedArray) -> UidArray:
        """Return the numbers of a column of names that are known."""

    def number_all(self, listed: Listed) -> UidSet:
        """Return the numbers of a source's UIDs or accessions; new names get new numbers."""

    def dump(self) -> bytes:
        """Return what must be stored to read the numbers again."""


class Uids:
    """UIDs, which are their own numbers."""

    type = pa.int64()

    def texts(self, uids: UidArray) -> list[str]:
        """Return decimal digits."""
        return list(map(str, uids.tolist()))

    def column(self, uids: UidArray) -> pa.Array:
        """Return an int64 column."""
        return pa.array(uids)

    def numbers(self, column: pa.Array | pa.ChunkedArray) -> UidArray:
        """Return the values of the column."""
        numbers: UidArray = column.to_numpy()
        return numbers

    def number_all(self, listed: Listed) -> UidSet:
        """Return the set itself."""
        return listed

    def dump(self) -> bytes:
        """Return nothing: UIDs need no list."""
        return b""


class Accessions:
    """Accessions, numbered from 1 in the order in which they first occur.

    Args:
        kept: result of `dump` in an earlier run.
    """

    type = pa.string()

    def __init__(self, kept: bytes | None = None) -> None:
        self._texts = zlib.decompress(kept).decode().split() if kept else []
        self._numbers = {text: number for number, text in enumerate(self._texts, 1)}

    def texts(self, uids: UidArray) -> list[str]:
        """Return accessions, with the version if the source gave it."""
        return [self._texts[number - 1] for number in uids.tolist()]

    def column(self, uids: UidArray) -> pa.Array:
        """Return a string column."""
        return pa.array(self.texts(uids), pa.string())

    def numbers(self, column: pa.Array | pa.ChunkedArray) -> UidArray:
        """Return the number of each accession."""
        places = pc.index_in(column, value_set=pa.array(self._texts, pa.string()))
        return places.to_numpy(zero_copy_only=False).astype(np.int64) + 1  # type: ignore[no-any-return]

    def number_all(self, listed: Listed) -> UidSet:
        """Return their numbers; new accessions get the next numbers."""
        found = set()
        for text in listed:
            number = self._numbers.setdefault(text, len(self._texts) + 1)
            if number > len(self._texts):
                self._texts.append(text)
            found.add(number)
        return sets.as_set(found)

    def dump(self) -> bytes:
        """Return the list, compressed."""
        return zlib.compress("\n".join(self._texts).encode(), 1)


def identifiers_of(idtype: str, kept: bytes | None = None) -> Identifiers:
    """Return the identifiers of an `idtype`, `uid` or `acc`.

    Args:
        idtype: as in `Link`.
        kept: result of `Identifiers.dump` in an earlier run.
    """
    return Accessions(kept) if idtype == "acc" else Uids()


def numbered(table: pa.Table, froms: Identifiers, tos: Identifiers) -> pa.Table:
    """Return rows of links with numbers for accessions; new accessions get new numbers.

    Args:
        table: rows with from_uid and to_uid.
        froms: identifiers of from_uid.
        tos: identifiers of to_uid.
    """
    for name, known in (("from_uid", froms), ("to_uid", tos)):
        if known.type != pa.int64():
            known.number_all(pc.unique(table[name]).to_pylist())
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, pa.array(known.numbers(table[name])))
    return table


def written(table: pa.Table, froms: Identifiers, tos: Identifiers) -> pa.Table:
    """Return rows of links with accessions for numbers; the reverse of `numbered`."""
    for name, known in (("from_uid", froms), ("to_uid", tos)):
        if known.type != pa.int64():
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, known.column(table[name].to_numpy()))
    return table
