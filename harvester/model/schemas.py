"""Arrow schemas of `links`, `uids` and raw answers, and columns that repeat one value.

Columns and types are those of the public interface: `links` has one row per distinct link,
`uids` one row per distinct input UID.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.model.outcomes import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = pa.dictionary(pa.int32(), pa.string())
"""Type of dbfrom, dbto and linkname: few names, repeated by the million."""


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


TARGETS = pa.schema(
    [
        pa.field("dbfrom", NAME),
        pa.field("dbto", NAME),
        pa.field("linkname", NAME),
        pa.field("to_uid", pa.int64()),
    ]
)
"""Targets of a whole set, each once, without the UIDs that link to them."""


RAW = pa.schema(
    [
        pa.field("sweep", pa.int32()),
        pa.field("retmode", pa.string()),
        pa.field("asked", pa.list_(pa.int64())),
        pa.field("body", pa.binary()),
    ]
)
"""Answers as received, with the UIDs of the request (numbers of accessions) and the form."""


@lru_cache(32)
def with_ids(schema: pa.Schema, kind: pa.DataType) -> pa.Schema:
    """Return the schema with another type for its UIDs: accessions are strings."""
    types = dict.fromkeys(("from_uid", "to_uid", "uid"), kind)
    types |= dict.fromkeys(("from_uids", "uids"), pa.list_(kind))
    return pa.schema([field.with_type(types.get(field.name, field.type)) for field in schema])


def constant(name: str, count: int) -> pa.DictionaryArray:
    """Return a column that repeats one name."""
    codes = _blank(1 << count.bit_length(), None).slice(0, count)
    return pa.DictionaryArray.from_arrays(codes, pa.array([name], pa.string()), safe=False)


def nulls(count: int, kind: pa.DataType) -> pa.Array:
    """Return a column of nulls."""
    return _blank(1 << count.bit_length(), kind).slice(0, count)


@lru_cache(64)
def _blank(count: int, kind: pa.DataType | None) -> pa.Array:
    """Return nulls, or zeros as codes; made once, since the first touch of memory costs most."""
    return pa.array(np.zeros(count, np.int32)) if kind is None else pa.nulls(count, kind)


def answered_rows(dbfrom: str, uids: pa.Array, counts: NDArray[np.int64]) -> pa.Table:
    """Return the rows of `uids` for UIDs that are linked or empty.

    Args:
        dbfrom: their database.
        uids: the UIDs.
        counts: links per UID.
    """
    outcome = pa.DictionaryArray.from_arrays(
        pa.array((counts == 0).astype(np.int32)), [Outcome.LINKED.value, Outcome.EMPTY.value]
    )
    reason = pa.nulls(len(uids), pa.string())
    columns = [constant(dbfrom, len(uids)), uids, outcome, pa.array(counts), reason]
    return pa.Table.from_arrays(columns, schema=with_ids(UIDS, uids.type))


def unanswered_rows(dbfrom: str, uids: pa.Array, outcome: str, reason: str | None) -> pa.Table:
    """Return the rows of `uids` for UIDs without an answer that share outcome and reason."""
    count = len(uids)
    columns = [
        constant(dbfrom, count),
        uids,
        constant(outcome, count),
        pa.array(np.zeros(count, np.int64)),
        pa.array([reason] * count, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=with_ids(UIDS, uids.type))
