"""The LinkSets of cmd=neighbor and its like held against the question: their links as rows."""

from __future__ import annotations

from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.eutils.elink.match import merged_owners, owners
from harvester.model.identifiers import Identifiers, Uids
from harvester.model.rows import Rows
from harvester.model.schemas import NEIGHBOR_LINKS, TARGETS, constant, with_ids

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from harvester.eutils.elink.linksets import LinkSets
    from harvester.model.answer import Answer
    from harvester.model.uids import UidArray

_LIST_BITS = 20  # of an answer's lists; the other 43 bits of a number are for the UID linked to


def reconcile(
    found: LinkSets,
    asked: UidArray,
    dbfrom: str,
    linknames: Collection[str] = (),
    identifiers: Identifiers | None = None,
) -> Answer:
    """Match the LinkSets of an answer with the UIDs asked for, and make their links rows.

    Args:
        found: what a reader made of the answer.
        asked: the UIDs of the question, distinct.
        dbfrom: the value of the `dbfrom` column.
        linknames: keep only links of these names; all, when empty. (NCBI ignores parameters it
            does not understand, so what was asked for is enforced here.)
        identifiers: how UIDs are written in the answer; as numbers, by default.
    """
    identifiers = identifiers or Uids()
    whose = owners(found.ids, found.errors, asked, identifiers.texts(asked))
    schema = with_ids(NEIGHBOR_LINKS, identifiers.type)
    rows, owner = _rows(found, whose.uid_of, dbfrom, linknames, schema, identifiers)
    places = np.searchsorted(whose.answered, owner)
    counts = np.bincount(places, rows.counts, minlength=len(whose.answered)).astype(np.int64)
    return whose.answer(rows, counts, owner)


def reconcile_merged(
    found: LinkSets,
    asked: UidArray,
    dbfrom: str,
    linknames: Collection[str],
    identifiers: Identifiers,
) -> Answer:
    """The targets of a comma list: which of its UIDs are linked to them is not to be known.

    Returns:
        Rows of `TARGETS`; each UID counts the targets of all.
    """
    whose = merged_owners(found.ids, found.errors, asked, identifiers.texts(asked))
    schema = with_ids(TARGETS, identifiers.type)
    rows, _ = _rows(found, whose.uid_of, dbfrom, linknames, schema, identifiers)
    if whose.broken:
        rows = rows.lists(np.zeros(len(rows.counts), bool))
    return whose.answer(rows, np.full(len(whose.answered), len(rows), np.int64))


def _rows(
    found: LinkSets,
    uid_of: NDArray[np.int64],
    dbfrom: str,
    linknames: Collection[str],
    schema: pa.Schema,
    identifiers: Identifiers,
) -> tuple[Rows, UidArray]:
    """The lists of links that count, and the UID of each."""
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
    shared = _table(
        schema,
        dbfrom=constant(dbfrom, len(owner)),
        from_uid=identifiers.column(owner),
        dbto=_names(dbto),
        linkname=_names(linkname),
    )
    own = (
        _table(schema, to_uid=to_uid)
        if score is None
        else _table(schema, to_uid=to_uid, score=score)
    )
    rows = Rows(schema, shared, counts, own)
    return _distinct(rows, list(zip(owner.tolist(), dbto, linkname, strict=True))), owner


def _table(schema: pa.Schema, **columns: pa.Array) -> pa.Table:
    """Those of some columns that the schema has."""
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


def _distinct(rows: Rows, keys: list[tuple[int, str, str]]) -> Rows:
    """The rows without repeated links; of several, the first stays.

    The cheap question (is any link there twice?) is asked first, of one integer a row.

    Args:
        rows: lists of links.
        keys: of each list; in those of the same key, the same UID is the same link.
    """
    numbers: dict[tuple[int, str, str], int] = {}
    group = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    to_uid = _numbers(rows.own["to_uid"])
    if len(group) < 1 << _LIST_BITS and to_uid.max(initial=0) < 1 << (63 - _LIST_BITS):
        links = np.repeat(group << (63 - _LIST_BITS), rows.counts)
        links += to_uid
        links.sort()
        if not (links[1:] == links[:-1]).any():
            return rows
    group = np.repeat(group, rows.counts)
    order = np.lexsort((to_uid, group))
    repeated = np.zeros(len(order), bool)
    repeated[order[1:]] = (np.diff(group[order]) == 0) & (np.diff(to_uid[order]) == 0)
    return rows.rows(~repeated) if repeated.any() else rows


def _numbers(column: pa.ChunkedArray) -> UidArray:
    """A number for each value: equal ones for equal values."""
    if not pa.types.is_string(column.type):
        numbers: UidArray = column.to_numpy()
        return numbers
    codes: NDArray[np.int32] = column.combine_chunks().dictionary_encode().indices.to_numpy()
    return codes.astype(np.int64)
