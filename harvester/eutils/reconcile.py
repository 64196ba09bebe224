"""Hold an answer against the question: which UIDs are answered whole, and their links as a table.

Everything is matched by the id echoed in the LinkSet, never by position: answers come sorted as
text, short, doubled, with an id of 0 or none at all (recorded 2008 to 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester import uids
from harvester.schemas import NEIGHBOR_LINKS

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from harvester.eutils.readers.columns import LinkSets
    from harvester.uids import UidArray


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's answer, reconciled.

    Attributes:
        links: rows for `answered` UIDs only, each link once.
        answered: UIDs answered whole, ascending.
        counts: links of each answered UID.
        broken: UIDs with an ERROR inside their LinkSet, and its text; none of their links count.
        left_out: UIDs asked for of which the answer says nothing.
        strangers: LinkSets dropped since they are for no single UID that was asked for.
    """

    links: pa.Table
    answered: UidArray
    counts: NDArray[np.int64]
    broken: dict[int, str]
    left_out: UidArray
    strangers: int


def reconcile(
    found: LinkSets, asked: UidArray, dbfrom: str, linknames: Collection[str] = ()
) -> Answer:
    """Match the LinkSets of an answer with the UIDs asked for.

    Args:
        found: what a reader made of the answer.
        asked: the UIDs of the question, distinct.
        dbfrom: the value of the `dbfrom` column.
        linknames: keep only links of these names; all, when empty. (NCBI ignores parameters it
            does not understand, so what was asked for is enforced here.)
    """
    wanted = {str(uid): uid for uid in asked.tolist()}
    uid_of = np.zeros(len(found.ids), np.int64)  # 0: a LinkSet for nobody
    broken: dict[int, str] = {}
    for index, (ids, error) in enumerate(zip(found.ids, found.errors, strict=True)):
        uid = wanted.get(ids[0]) if len(ids) == 1 else None
        if uid is not None:
            uid_of[index] = uid
            if error is not None:
                broken.setdefault(uid, error)
    strangers = int(np.count_nonzero(uid_of == 0))
    if broken:
        uid_of[np.isin(uid_of, list(broken))] = 0
    links = _table(found, uid_of, dbfrom, linknames)
    answered = np.unique(uid_of[uid_of != 0])
    seen = np.union1d(answered, np.fromiter(broken, np.int64, len(broken)))
    return Answer(
        links=links,
        answered=answered,
        counts=uids.count(links["from_uid"].to_numpy(), answered),
        broken=broken,
        left_out=np.setdiff1d(asked, seen),
        strangers=strangers,
    )


def _table(
    found: LinkSets, uid_of: NDArray[np.int64], dbfrom: str, linknames: Collection[str]
) -> pa.Table:
    owner = uid_of[np.array(found.owner, np.int64)]
    counts = np.array(found.counts, np.int64)
    from_uid = np.repeat(owner, counts)
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(from_uid)) - np.repeat(starts, counts)
    linkname, linkname_codes = _codes(found.linkname)
    dbto, dbto_codes = _codes(found.dbto)
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(rank), np.int32)), [dbfrom]),
        pa.array(from_uid),
        pa.DictionaryArray.from_arrays(pa.array(np.repeat(dbto_codes, counts)), dbto),
        pa.DictionaryArray.from_arrays(pa.array(np.repeat(linkname_codes, counts)), linkname),
        found.to_uid,
        pa.nulls(len(rank), pa.int64()) if found.score is None else found.score,
        pa.array(rank.astype(np.int32)),
    ]
    table = pa.Table.from_arrays(columns, schema=NEIGHBOR_LINKS)
    keep = owner != 0
    if linknames:
        keep &= np.isin(found.linkname, list(linknames))
    if not keep.all():
        table = table.filter(pa.array(np.repeat(keep, counts)))
    family = linkname_codes.astype(np.int64) * (len(dbto) or 1) + dbto_codes
    return _distinct(table, np.repeat(family[keep], counts[keep]))


def _distinct(table: pa.Table, family: NDArray[np.int64]) -> pa.Table:
    """The table without repeated links; of several, the first stays.

    The cheap question (is any from-to pair there twice?) is asked first, of one integer a row; a
    pair may well be linked by several names, and only then, or at a collision, rows are sorted.
    """
    from_uid, to_uid = table["from_uid"].to_numpy(), table["to_uid"].to_numpy()
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


def _codes(names: list[str]) -> tuple[pa.Array, NDArray[np.int32]]:
    """Names as their distinct values and a number for each."""
    known = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return pa.array(list(known), pa.string()), np.array([known[n] for n in names], np.int32)
