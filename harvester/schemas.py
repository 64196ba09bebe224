"""The Arrow schema of each kind of row, and the outcomes a UID can have.

Columns and types are those of the public interface: `links` has one row per distinct link,
`uids` one row per distinct input UID.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

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


class Outcome(StrEnum):
    """What became of one input UID."""

    LINKED = "linked"  # answered in full, with at least one link
    EMPTY = "empty"  # answered, without links
    MISSING = "missing"  # left out of every answer, also when asked for alone
    FAILED = "failed"  # no whole answer after every attempt
