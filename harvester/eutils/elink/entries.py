"""Entries of an answer, returned by the readers of all cmds but neighbor."""

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
    """One part of an answer: its ids, the first ERROR in it, its rows."""

    ids: list[str]
    error: str | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Entries:
    """The entries of one answer as columns.

    `ids[i]`, `errors[i]` and `counts[i]` belong to the i-th entry, whose rows are the next
    `counts[i]` of `rows`.
    """

    error: str | None
    """ERROR about the whole answer."""
    ids: list[list[str]]
    """One id, or for neighbor_history all ids of a LinkSet."""
    errors: list[str | None]
    counts: list[int]
    rows: pa.Table
    """Columns of the table, without dbfrom and from_uid(s)."""


def gathered(error: str | None, entries: Iterable[Entry], schema: pa.Schema) -> Entries:
    """Return entries as columns.

    Raises:
        Unreadable: values do not fit the schema.
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
    """Return the readers of JSON and of XML for one cmd.

    Args:
        schema: schema of the rows.
        entries: makes the entries of the LinkSets, which are the same in both forms.

    Returns:
        Functions from the body of an answer to its entries. They raise `Unreadable` if it does not
        have the form, or ELink's shape.
    """

    def read_json(body: bytes) -> Entries:
        error, linksets = json_linksets(body)
        return gathered(error, entries(linksets), schema)

    def read_xml(body: bytes) -> Entries:
        error, linksets = xml_linksets(body)
        return gathered(error, entries(linksets), schema)

    return read_json, read_xml


def unlisted(ids: list[str], error: str | None, what: str) -> Entry:
    """Return the entry of a LinkSet without its list, which is an error about its ids.

    Args:
        ids: ids of its IdList, which these cmds have with errors only.
        error: its ERROR.
        what: name of the missing list.
    """
    return Entry(ids, error or (f"a LinkSet without {what}" if ids else None))
