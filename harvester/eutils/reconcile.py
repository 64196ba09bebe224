"""The LinkSets of cmd=neighbor and its like held against the question: their links as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester import uids
from harvester.eutils.answer import Answer, merged_owners, owners
from harvester.identifiers import Identifiers, Uids
from harvester.schemas import NEIGHBOR_LINKS, TARGETS, constant, never_null, with_ids

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from harvester.eutils.readers.columns import LinkSets
    from harvester.uids import UidArray


def reconcile(
    found: LinkSets,
    asked: UidArray,
    dbfrom: str,
    linknames: Collection[str] = (),
    identifiers: Identifiers | None = None,
) -> Answer:
    """Match the LinkSets of an answer with the UIDs asked for, and make their links a table.

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
    links = _table(found, whose.uid_of, dbfrom, linknames)
    from_uid = links["from_uid"].to_numpy()
    if identifiers.type != pa.int64():
        links = links.set_column(1, "from_uid", identifiers.column(from_uid))
        links = links.cast(with_ids(NEIGHBOR_LINKS, identifiers.type))
    return whose.answer(links, uids.count(from_uid, whose.answered), from_uid)


def _table(
    found: LinkSets, uid_of: NDArray[np.int64], dbfrom: str, linknames: Collection[str]
) -> pa.Table:
    """The rows of `links`, with numbers for from_uid."""
    owner = uid_of[np.array(found.owner, np.int64)]
    counts = np.array(found.counts, np.int64)
    from_uid = np.repeat(owner, counts)
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(from_uid)) - np.repeat(starts, counts)
    linkname, linkname_codes = _codes(found.linkname)
    dbto, dbto_codes = _codes(found.dbto)
    columns = [
        constant(dbfrom, len(rank)),
        pa.array(from_uid),
        pa.DictionaryArray.from_arrays(pa.array(np.repeat(dbto_codes, counts)), dbto),
        pa.DictionaryArray.from_arrays(pa.array(np.repeat(linkname_codes, counts)), linkname),
        found.to_uid,
        pa.nulls(len(rank), pa.int64()) if found.score is None else found.score,
        pa.array(rank.astype(np.int32)),
    ]
    to_uid = NEIGHBOR_LINKS.get_field_index("to_uid")
    schema = NEIGHBOR_LINKS.set(to_uid, never_null("to_uid", found.to_uid.type))
    table = pa.Table.from_arrays(columns, schema=schema)
    keep = owner != 0
    if linknames:
        keep &= np.isin(found.linkname, list(linknames))
    if not keep.all():
        table = table.filter(pa.array(np.repeat(keep, counts)))
    family = linkname_codes.astype(np.int64) * (len(dbto) or 1) + dbto_codes
    return _distinct(table, np.repeat(family[keep], counts[keep]))


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
    table = _table(found, whose.uid_of, dbfrom, linknames)
    table = table.select(TARGETS.names).cast(with_ids(TARGETS, identifiers.type))
    if whose.broken:
        table = table.slice(0, 0)
    return whose.answer(table, np.full(len(whose.answered), table.num_rows, np.int64))


def _distinct(table: pa.Table, family: NDArray[np.int64]) -> pa.Table:
    """The table without repeated links; of several, the first stays.

    The cheap question (is any from-to pair there twice?) is asked first, of one integer a row; a
    pair may well be linked by several names, and only then, or at a collision, rows are sorted.
    """
    from_uid, to_uid = table["from_uid"].to_numpy(), _numbers(table["to_uid"])
    with np.errstate(over="ignore"):
        mixed = (from_uid * np.int64(-7046029254386353131) + to_uid) ^ (family << 56)
    mixed.sort()
    if not (mixed[1:] == mixed[:-1]).any():
        return table
    order = np.lexsort((to_uid, family, from_uid))
    rows = np.stack([from_uid[order], family[order], to_uid[order]])
    repeated = (rows[:, 1:] == rows[:, :-1]).all(axis=0)
    keep = np.ones(len(order), bool)
    keep[order[1:][repeated]] = False
    return table.filter(pa.array(keep))


def _numbers(column: pa.ChunkedArray) -> UidArray:
    """A number for each value: equal ones for equal values."""
    if not pa.types.is_string(column.type):
        numbers: UidArray = column.to_numpy()
        return numbers
    codes: NDArray[np.int32] = column.combine_chunks().dictionary_encode().indices.to_numpy()
    return codes.astype(np.int64)


def _codes(names: list[str]) -> tuple[pa.Array, NDArray[np.int32]]:
    """Names as their distinct values and a number for each."""
    known = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return pa.array(list(known), pa.string()), np.array([known[n] for n in names], np.int32)
