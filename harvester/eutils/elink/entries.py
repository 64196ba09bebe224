"""What every reader but neighbor's hands over: what an answer says of which ids, nothing judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from harvester.eutils.elink.document import json_linksets, xml_linksets
from harvester.eutils.parsing import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harvester.eutils.elink.document import Object

    Read = Callable[[bytes], "Entries"]


@dataclass(slots=True)
class Entry:
    """What one part of an answer says: its ids, the first ERROR in it, its rows by column."""

    ids: list[str]
    error: str | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Entries:
    """The entries of one answer, flattened.

    `ids[i]`, `errors[i]` and `counts[i]` belong to the i-th entry, whose rows are the next
    `counts[i]` of `rows`.
    """

    error: str | None
    """The ERROR of the answer as a whole."""
    ids: list[list[str]]
    """One id for the cmds that answer id by id, all of a LinkSet's for neighbor_history."""
    errors: list[str | None]
    counts: list[int]
    rows: pa.Table
    """Columns of the cmd's table, without those of the question: dbfrom and from_uid(s)."""


def gathered(error: str | None, entries: Iterable[Entry], schema: pa.Schema) -> Entries:
    """Entries as columns.

    Raises:
        Unreadable: values that do not fit the schema.
    """
    found = list(entries)
    try:
        rows = pa.Table.from_pylist([row for one in found for row in one.rows], schema)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as problem:
        raise Unreadable("an ELink answer with values of another kind") from problem
    return Entries(
        error,
        [one.ids for one in found],
        [one.error for one in found],
        [len(one.rows) for one in found],
        rows,
    )


def readers(
    schema: pa.Schema, entries: Callable[[list[Object]], Iterable[Entry]]
) -> tuple[Read, Read]:
    """The readers of one shape, of JSON and of XML: both forms become the same dictionaries.

    Args:
        schema: of the rows.
        entries: made of the LinkSets of an answer.

    Returns:
        Functions from the bytes of an answer to its entries, which raise `Unreadable` where they
        are not of the form, or not of ELink's shape.
    """

    def read_json(body: bytes) -> Entries:
        error, linksets = json_linksets(body)
        return gathered(error, entries(linksets), schema)

    def read_xml(body: bytes) -> Entries:
        error, linksets = xml_linksets(body)
        return gathered(error, entries(linksets), schema)

    return read_json, read_xml


def unlisted(ids: list[str], error: str | None, what: str) -> Entry:
    """The entry of a LinkSet without its list: no word on its ids is not the same as nothing.

    Args:
        ids: of its IdList, which these cmds do not have but for errors.
        error: its ERROR.
        what: the list that is missing.
    """
    return Entry(ids, error or (f"a LinkSet without {what}" if ids else None))
