"""Arrow schemas of the rows of each cmd of ELink, and of the records of ESummary and EFetch.

They are separate from the protocol, because code that reads a finished harvest needs only these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.model.schemas import NAME, NEIGHBOR_LINKS, TARGETS, with_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRINGS = pa.list_(pa.string())
_DBFROM, _FROM_UID = pa.field("dbfrom", NAME), pa.field("from_uid", pa.int64())

HISTORY_COLUMNS = pa.schema(
    [
        pa.field("dbto", NAME),
        pa.field("linkname", NAME),
        pa.field("webenv", pa.string()),
        pa.field("query_key", pa.string()),
    ]
)

ACHECK_COLUMNS = pa.schema(
    [
        pa.field("dbto", NAME),
        pa.field("linkname", NAME),
        pa.field("menutag", pa.string()),
        pa.field("htmltag", pa.string()),
        pa.field("url", pa.string()),
        pa.field("priority", pa.int32()),
    ]
)

URL_COLUMNS = pa.schema(
    [
        pa.field("url", pa.string()),
        pa.field("iconurl", pa.string()),
        pa.field("linkname", NAME),
        pa.field("subject_types", _STRINGS),
        pa.field("categories", _STRINGS),
        pa.field("attributes", _STRINGS),
        pa.field("provider_name", pa.string()),
        pa.field("provider_abbr", pa.string()),
        pa.field("provider_id", pa.string()),
        pa.field("provider_url", pa.string()),
    ]
)

_URLS = pa.schema([_DBFROM, _FROM_UID, *URL_COLUMNS])

LINK_SCHEMAS: Mapping[str, pa.Schema] = {
    "neighbor": NEIGHBOR_LINKS,
    "neighbor_score": NEIGHBOR_LINKS,
    "neighbor_history": pa.schema(
        [_DBFROM, *HISTORY_COLUMNS, pa.field("from_uids", pa.list_(pa.int64()))]
    ),
    "acheck": pa.schema([_DBFROM, _FROM_UID, *ACHECK_COLUMNS]),
    "ncheck": pa.schema([_DBFROM, _FROM_UID, pa.field("has_neighbor", pa.bool_())]),
    "lcheck": pa.schema([_DBFROM, _FROM_UID, pa.field("has_linkout", pa.bool_())]),
    "llinks": _URLS,
    "llinkslib": _URLS,
    "prlinks": _URLS,
}
"""cmd → schema of its rows in `links`, with UIDs as integers."""

SUMMARIES = pa.schema(
    [pa.field("db", NAME), pa.field("uid", pa.int64()), pa.field("record", pa.string())]
)
"""ESummary: one row per record, its DocSum as JSON."""

DOCUMENTS = pa.schema(
    [
        pa.field("db", NAME),
        pa.field("uids", pa.list_(pa.int64())),
        pa.field("rettype", pa.string()),
        pa.field("retmode", pa.string()),
        pa.field("text", pa.large_string()),
    ]
)
"""EFetch: one row per record; one per response where the format does not mark its records."""


ROUND = pa.field("round", pa.int16())
"""Column of `links` of a job with rounds (`repeat`): the round in which from_uid was asked."""


def link_schema(
    cmd: str, *, targets_only: bool = False, idtype: str = "uid", rounds: bool = False
) -> pa.Schema:
    """Return the schema of the rows of `links` of a harvest.

    Args:
        cmd: a cmd of ELink.
        targets_only: whether the rows are the distinct targets of all UIDs together.
        idtype: `uid`, or `acc` for accessions, which are strings.
        rounds: whether the job follows its own targets (`repeat`), so that rows have a `round`.

    Raises:
        KeyError: ELink has no such cmd.
    """
    schema = TARGETS if targets_only else LINK_SCHEMAS[cmd]
    if rounds:
        schema = schema.append(ROUND)
    return with_ids(schema, pa.string() if idtype == "acc" else pa.int64())


def record_schema(form: str, *, idtype: str = "uid") -> pa.Schema:
    """Return the schema of the rows of `records` of a harvest.

    Args:
        form: `summary` for ESummary, anything else for EFetch.
        idtype: `uid`, or `acc` for accessions, which are strings.
    """
    schema = SUMMARIES if form == "summary" else DOCUMENTS
    return with_ids(schema, pa.string() if idtype == "acc" else pa.int64())
