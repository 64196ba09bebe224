"""UIDs or accessions from a file: a list or a table.

A file is a table if a column is given, if its name ends in .csv, .tsv, .tab or .parquet, or if it
begins like Parquet. Any other file is a list.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from harvester.sources.compressed import open_input
from harvester.sources.notation import UidParser, parse_accession
from harvester.sources.parquet import is_parquet
from harvester.sources.rejected import BadEntries
from harvester.sources.tables import column_blocks, parse_cells, table_suffix, uids_of
from harvester.sources.text import lines_of, list_blocks, parse_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.model.uids import UidArray
    from harvester.sources.rejected import Reject, Warn


def read_uids(
    name: str,
    column: str | None,
    dbfrom: str,
    reject: Reject | None = None,
    warn: Warn = lambda _: None,
) -> Iterator[UidArray]:
    """Yield the UIDs of a list or a table in blocks, in file order, with duplicates.

    Args:
        name: path, or `-` for standard input.
        column: name of a column of a table, or its number from 1; None for a list, or the only
            column.
        dbfrom: database of the UIDs; decides which prefixes (as in PMID:1) are accepted.
        reject: called with each entry that is not a UID, which is left out; None makes it an error.
        warn: called with a sentence if cells say that there is no value.

    Raises:
        BadInput: Entries are not UIDs, or the file cannot be read. Raised after the last block.
    """
    parse = UidParser(dbfrom)
    with open_input(name) as stream:
        bad = BadEntries(name, "row" if is_parquet(stream) else "line", reject, warn)
        if _is_table(stream, name, column):
            yield from uids_of(stream, name, column, parse, bad)
        else:
            yield from lines_of(stream, parse, bad, name)


def read_accessions(
    name: str,
    column: str | None = None,
    reject: Reject | None = None,
    warn: Warn = lambda _: None,
) -> Iterator[list[str]]:
    """Yield the accessions (`--idtype acc`) of a list or a table; see `read_uids`.

    GIs are accepted among accessions (NBK25499).
    """
    with open_input(name) as stream:
        bad = BadEntries(name, "row" if is_parquet(stream) else "line", reject, warn)
        if _is_table(stream, name, column):
            for cells in column_blocks(stream, name, column, accession_or_gi):
                yield list(parse_cells(cells, accession_or_gi, bad))
        else:
            for line, block in list_blocks(stream, name, warn):
                yield list(parse_words(block, line, parse_accession, bad))
        bad.finish()


def _is_table(stream: IO[bytes], name: str, column: str | None) -> bool:
    return column is not None or table_suffix(name) is not None or is_parquet(stream)


def accession_or_gi(cell: str) -> str:
    """Return an accession; a GI may stand in a column of floats, as 12.0."""
    whole, point, zeros = cell.partition(".")
    is_whole = bool(point) and whole.isdecimal() and len(zeros) == 1 and zeros == "0"
    return parse_accession(whole if is_whole else cell)
