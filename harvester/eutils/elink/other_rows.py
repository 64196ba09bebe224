"""Rows of the entries in answers of all cmds but neighbor and neighbor_score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.eutils.elink.match import merged_owners, owners
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from collections.abc import Collection

    from harvester.eutils.elink.entries import Entries
    from harvester.model.answer import Answer
    from harvester.model.identifiers import Identifiers
    from harvester.model.uids import UidArray


def reconcile_entries(
    found: Entries,
    asked: UidArray,
    dbfrom: str,
    identifiers: Identifiers,
    linknames: Collection[str] = (),
    flag: str | None = None,
) -> Answer:
    """Match the entries of an answer with the requested UIDs.

    Args:
        found: entries of the answer.
        asked: UIDs of the request, distinct.
        dbfrom: value of the `dbfrom` column.
        identifiers: how UIDs are written in the answer.
        linknames: names of the rows to keep; all, if empty.
        flag: column that says whether a row represents links; None: every row does.

    Returns:
        Rows that begin with dbfrom and from_uid. If a UID is answered twice, the first counts.
    """
    whose = owners(found.ids, found.errors, asked, identifiers.texts(asked))
    _, firsts = np.unique(whose.uid_of, return_index=True)
    first = np.zeros(len(whose.uid_of), bool)
    first[firsts] = True
    keep = first & (whose.uid_of != 0)
    owner = whose.uid_of[keep]
    per_list = pa.table(
        {"dbfrom": constant(dbfrom, len(owner)), "from_uid": identifiers.column(owner)}
    )
    schema = pa.schema([*per_list.schema, *found.rows.schema])
    per_row = found.rows.filter(pa.array(np.repeat(keep, found.counts)))
    rows = RunLengthRows(schema, per_list, per_row, np.array(found.counts, np.int64)[keep])
    if linknames:
        named = pc.is_in(per_row["linkname"], pa.array(list(linknames)))
        rows = rows.filter_rows(named.to_numpy())
    from_uid = np.repeat(owner, rows.lengths)
    linked = from_uid if flag is None else from_uid[rows.per_row[flag].to_numpy()]
    return whose.answer(rows, uids.count(linked, whose.answered), owner)


def reconcile_sets(
    found: Entries,
    asked: UidArray,
    dbfrom: str,
    identifiers: Identifiers,
    linknames: Collection[str] = (),
) -> Answer:
    """Return the History sets of a comma list; each holds the targets of all its UIDs.

    Returns:
        Rows that end with from_uids; each UID counts the sets of all.
    """
    whose = merged_owners(found.ids, found.errors, asked, identifiers.texts(asked))
    keep = np.repeat(whose.uid_of != 0, found.counts)
    if linknames:
        keep &= pc.is_in(found.rows["linkname"], pa.array(list(linknames))).to_numpy()
    rows = _distinct(found.rows.filter(pa.array(keep & (not whose.broken))))
    count = rows.num_rows
    listed = identifiers.column(np.tile(whose.answered, count))
    bounds = pa.array(np.arange(count + 1, dtype=np.int32) * len(whose.answered))
    links = rows.add_column(0, "dbfrom", constant(dbfrom, count))
    return whose.answer(
        RunLengthRows.from_table(
            links.append_column("from_uids", pa.ListArray.from_arrays(bounds, listed))
        ),
        np.full(len(whose.answered), count, np.int64),
    )


def _distinct(rows: pa.Table) -> pa.Table:
    """Return the rows without repetitions, as of a repeated LinkSet; the first stays."""
    keys = zip(*(rows[name].to_pylist() for name in rows.column_names), strict=True)
    first: dict[tuple[str, ...], int] = {}
    for place, key in enumerate(keys):
        first.setdefault(key, place)
    return rows if len(first) == rows.num_rows else rows.take(pa.array(list(first.values())))
