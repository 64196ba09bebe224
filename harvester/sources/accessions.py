"""Accessions (`--idtype acc`) from lists and tables: texts rather than numbers.

What an accession looks like is in `spelling`; GIs may stand among accessions (NBK25499).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.sources.compressed import shown
from harvester.sources.notation import accession
from harvester.sources.tables import kind_of, read_cells, text_of
from harvester.sources.words import text_blocks, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def read_accessions(name: str, column: str | None = None) -> Iterator[list[str]]:
    """The accessions of a list or a table, in blocks, in its order and with its duplicates.

    Args:
        name: a path, or `-` for standard input; a table where `kind_of` says so.
        column: of a table; none takes the only column there is.

    Raises:
        BadInput: something is not an accession (names file, line or row, and text), or the file
            cannot be read.
    """
    if kind_of(name):
        for row, cells in read_cells(name, column):
            texts = (
                (at, text_of(cell))
                for at, cell in enumerate(cells.to_pylist(), row)
                if cell is not None
            )
            yield _read(texts, shown(name), "row")
    else:
        for line, block in text_blocks(name):
            yield _read(words(block, line), shown(name), "line")


def _read(texts: Iterable[tuple[int, str]], name: str, unit: str) -> list[str]:
    found = []
    for number, text in texts:
        try:
            found.append(accession(text))
        except ValueError as error:
            raise BadInput(f"{name}, {unit} {number}: {error}") from None
    return found
