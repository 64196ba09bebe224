"""Accessions (`--idtype acc`) from lists and tables: texts instead of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.sources.compressed import display_name
from harvester.sources.notation import parse_accession
from harvester.sources.tables import cell_text, read_cells, table_suffix
from harvester.sources.text import text_blocks, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def read_accessions(name: str, column: str | None = None) -> Iterator[list[str]]:
    """Yield the accessions of a list or a table in blocks, in file order, with duplicates.

    GIs are accepted among accessions (NBK25499).

    Args:
        name: path, or `-` for standard input; a table if `table_suffix` says so.
        column: column of the table; None takes the only column.

    Raises:
        BadInput: A word is not an accession (names file, line or row, and text), or the file
            cannot be read.
    """
    if table_suffix(name):
        for row, cells in read_cells(name, column):
            texts = (
                (at, cell_text(cell))
                for at, cell in enumerate(cells.to_pylist(), row)
                if cell is not None
            )
            yield _parse(texts, display_name(name), "row")
    else:
        for line, block in text_blocks(name):
            yield _parse(words(block, line), display_name(name), "line")


def _parse(texts: Iterable[tuple[int, str]], name: str, unit: str) -> list[str]:
    found = []
    for number, text in texts:
        try:
            found.append(parse_accession(text))
        except ValueError as error:
            raise BadInput(f"{name}, {unit} {number}: {error}") from None
    return found
