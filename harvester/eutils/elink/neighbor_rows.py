"""Rows of the links in LinkSets, for cmd=neighbor and neighbor_score."""

from __future__ import annotations

from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.eutils.elink.match import merged_owners, owners
from harvester.model.identifiers import Identifiers, Uids
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import NEIGHBOR_LINKS, TARGETS, constant, with_ids

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from harvester.eutils.elink.linksets import LinkSets
    from harvester.model.answer import Answer
    from harvester.model.uids import UidArray

UID_BITS = 43
"""Bits of the UID in a number that `pack` makes."""

LIST_BITS = 63 - UID_BITS
"""Bits of the list number in it: 20, so a million lists in an answer at most."""


def reconcile(
    found: LinkSets,
    asked: UidArray,
    dbfrom: str,
    linknames: Collection[str] = (),
    identifiers: Identifiers | None = None,
) -> Answer:
    """Match LinkSets with the requested UIDs, and return their links as rows.

    Args:
        found: LinkSets of the answer.
        asked: UIDs of the request, distinct.
        dbfrom: value of the `dbfrom` column.
        linknames: names of the links to keep; all, if empty. (NCBI ignores parameters that it does
            not understand.)
        identifiers: how UIDs are written in the answer; as numbers, by default.
    """
    identifiers = identifiers or Uids()
    whose = owners(found.ids, found.errors, asked, identifiers.texts(asked))
    schema = with_ids(NEIGHBOR_LINKS, identifiers.type)
    rows, owner = _rows(found, whose.uid_of, dbfrom, linknames, schema, identifiers)
    places = np.searchsorted(whose.answered, owner)
    counts = np.bincount(places, rows.lengths, minlength=len(whose.answered)).astype(np.int64)
    return whose.answer(rows, counts, owner)


def reconcile_merged(
    found: LinkSets,
    asked: UidArray,
    dbfrom: str,
    linknames: Collection[str],
    identifiers: Identifiers,
) -> Answer:
    """Return the targets of a comma list; NCBI does not say which of its UIDs link to them.

    Returns:
        Rows of `TARGETS`; each UID counts the targets of all.
    """
    whose = merged_owners(found.ids, found.errors, asked, identifiers.texts(asked))
    schema = with_ids(TARGETS, identifiers.type)
    rows, _ = _rows(found, whose.uid_of, dbfrom, linknames, schema, identifiers)
    if whose.broken:
        rows = rows.filter_lists(np.zeros(len(rows.lengths), bool))
    return whose.answer(rows, np.full(len(whose.answered), len(rows), np.int64))


def _rows(
    found: LinkSets,
    uid_of: NDArray[np.int64],
    dbfrom: str,
    linknames: Collection[str],
    schema: pa.Schema,
    identifiers: Identifiers,
) -> tuple[RunLengthRows, UidArray]:
    """Return the lists of links that belong to a requested UID, and that UID."""
    owner, counts = uid_of[np.array(found.owner, np.int64)], np.array(found.counts, np.int64)
    dbto, linkname, to_uid, score = found.dbto, found.linkname, found.to_uid, found.score
    keep = owner != 0
    if linknames:
        keep &= np.isin(linkname, list(linknames))
    if not keep.all():
        mine = pa.array(np.repeat(keep, counts))
        to_uid, score = to_uid.filter(mine), None if score is None else score.filter(mine)
        dbto, linkname = list(compress(dbto, keep)), list(compress(linkname, keep))
        owner, counts = owner[keep], counts[keep]
    per_list = _table(
        schema,
        dbfrom=constant(dbfrom, len(owner)),
        from_uid=identifiers.column(owner),
        dbto=_names(dbto),
        linkname=_names(linkname),
    )
    per_row = (
        _table(schema, to_uid=to_uid)
        if score is None
        else _table(schema, to_uid=to_uid, score=score)
    )
    rows = RunLengthRows(schema, per_list, per_row, counts)
    return _distinct(rows, list(zip(owner.tolist(), dbto, linkname, strict=True))), owner


def _table(schema: pa.Schema, **columns: pa.Array) -> pa.Table:
    """Return a table of those columns that the schema has."""
    part = _part(schema, tuple(columns))
    return pa.Table.from_arrays([columns[name] for name in part.names], schema=part)


@lru_cache(16)
def _part(schema: pa.Schema, names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([field for field in schema if field.name in names])


def _names(texts: list[str]) -> pa.DictionaryArray:
    known = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    if len(known) == 1:
        return constant(texts[0], len(texts))
    codes = pa.array([known[text] for text in texts], pa.int32())
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(known), pa.string()), safe=False)


def _distinct(rows: RunLengthRows, keys: list[tuple[int, str, str]]) -> RunLengthRows:
    """Return the rows without repeated links; the first of several stays.

    Args:
        rows: lists of links.
        keys: one per list: UID, dbto and linkname. In lists with equal keys, equal UIDs are the
            same link.
    """
    numbers: dict[tuple[int, str, str], int] = {}
    list_no = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    to_uid = _numbers(rows.per_row["to_uid"])
    # The usual case: one sort of integers then shows that no link repeats.
    if fits(list_no, to_uid):
        links = pack(list_no, rows.lengths, to_uid)
        links.sort()
        if not (links[1:] == links[:-1]).any():
            return rows
    list_no = np.repeat(list_no, rows.lengths)
    order = np.lexsort((to_uid, list_no))
    repeated = np.zeros(len(order), bool)
    repeated[order[1:]] = (np.diff(list_no[order]) == 0) & (np.diff(to_uid[order]) == 0)
    return rows.filter_rows(~repeated) if repeated.any() else rows


def fits(list_no: NDArray[np.int64], uid: UidArray) -> bool:
    """Return whether `pack` can hold these lists and UIDs (not negative)."""
    return len(list_no) < 1 << LIST_BITS and int(uid.max(initial=0)) < 1 << UID_BITS


def pack(
    list_no: NDArray[np.int64], lengths: NDArray[np.int64], uid: UidArray
) -> NDArray[np.int64]:
    """Return one int64 per link. Links are equal where list and UID are equal.

         63  62            43  42                                        0
        +---+----------------+--------------------------------------------+
        | 0 |  list_no (20)  |                  uid (43)                  |
        +---+----------------+--------------------------------------------+

    Args:
        list_no: number of each list, below 2^20.
        lengths: links in each list.
        uid: UID linked to, per link; below 2^43. (The largest seen from NCBI have 10 digits,
            below 2^34.)
    """
    packed = np.repeat(list_no << UID_BITS, lengths)  # shifted first: lists are fewer than links
    packed += uid
    return packed


def _numbers(column: pa.ChunkedArray) -> UidArray:
    """Return a number for each value, equal for equal values."""
    if not pa.types.is_string(column.type):
        numbers: UidArray = column.to_numpy()
        return numbers
    codes: NDArray[np.int32] = column.combine_chunks().dictionary_encode().indices.to_numpy()
    return codes.astype(np.int64)
