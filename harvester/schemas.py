"""The Arrow schema of each kind of row, and rows made of what is known.

Columns and types are those of the public interface: `links` has one row per distinct link,
`uids` one row per distinct input UID.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.outcomes import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.uids import UidArray

NAME = pa.dictionary(pa.int32(), pa.string())
"""Names repeat by the million (dbfrom, dbto, linkname): stored once, referred to by number."""

NEIGHBOR_LINKS = pa.schema(
    [
        pa.field("dbfrom", NAME),
        pa.field("from_uid", pa.int64()),
        pa.field("dbto", NAME),
        pa.field("linkname", NAME),
        pa.field("to_uid", pa.int64()),
        pa.field("score", pa.int64()),
        pa.field("rank", pa.int32()),
    ]
)

UIDS = pa.schema(
    [
        pa.field("dbfrom", NAME),
        pa.field("from_uid", pa.int64()),
        pa.field("outcome", NAME),
        pa.field("links", pa.int64()),
        pa.field("reason", pa.string()),
    ]
)


def answered_rows(dbfrom: str, uids: UidArray, counts: NDArray[np.int64]) -> pa.Table:
    """The rows of `uids` for UIDs that are linked or empty, by how many links they have."""
    outcome = pa.DictionaryArray.from_arrays(
        pa.array((counts == 0).astype(np.int32)), [Outcome.LINKED.value, Outcome.EMPTY.value]
    )
    zeros = pa.array(np.zeros(len(uids), np.int32))
    columns = [
        pa.DictionaryArray.from_arrays(zeros, [dbfrom]),
        pa.array(uids),
        outcome,
        pa.array(counts),
        pa.nulls(len(uids), pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=UIDS)


def unanswered_rows(dbfrom: str, uids: UidArray, outcome: str, reason: str | None) -> pa.Table:
    """The rows of `uids` for UIDs that share an outcome without an answer, and its reason."""
    count = len(uids)
    columns = [
        pa.array([dbfrom] * count, pa.string()).dictionary_encode(),
        pa.array(uids),
        pa.array([outcome] * count, pa.string()).dictionary_encode(),
        pa.array(np.zeros(count, np.int64)),
        pa.array([reason] * count, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=UIDS)
