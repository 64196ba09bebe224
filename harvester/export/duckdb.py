"""duckdb: a database with the tables of the harvest, and a graph for those who want one.

`links` and `uids` have the columns of the harvest. If the links lead to records, `nodes` has each
record of either end once, and the view `edges` has the links between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.export import need
from harvester.model.schemas import UIDS, with_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from duckdb import DuckDBPyConnection

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests

_MEMORY = "100MB"
"""DuckDB's limit. What does not fit goes to temporary files beside the destination."""

_GRAPH = """
CREATE TABLE nodes AS
SELECT db || ':' || uid AS id, db, uid, bool_or(input) AS input
FROM (
    SELECT dbfrom AS db, from_uid AS uid, true AS input FROM uids
    UNION ALL
    SELECT DISTINCT dbto, to_uid, false FROM links
)
GROUP BY db, uid;
CREATE VIEW edges AS
SELECT
    dbfrom || ':' || from_uid AS source,
    dbto || ':' || to_uid AS target,
    dbfrom AS source_db, from_uid AS source_uid, dbto AS target_db, to_uid AS target_uid,
    linkname, score, rank
FROM links;
CREATE VIEW linknames AS
SELECT
    dbfrom, dbto, linkname, count(*) AS links,
    count(DISTINCT from_uid) AS sources, count(DISTINCT to_uid) AS targets
FROM links GROUP BY ALL ORDER BY ALL;
"""

_UNANSWERED = """
CREATE VIEW unanswered AS
SELECT dbfrom, from_uid, outcome, reason FROM uids WHERE outcome IN ('missing', 'failed');
"""


def write(harvests: Harvests, to: Destination, options: Options) -> None:  # noqa: ARG001
    """Write a DuckDB database."""
    need("duckdb")
    import duckdb  # noqa: PLC0415

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "threads": 2,
        "temp_directory": str(to.scratch),
        "preserve_insertion_order": False,
    }
    with duckdb.connect(str(to.path), config=config) as database:
        _fill(database, "links", harvests.schema, harvests.links())
        ids = harvests.first.identifiers.type
        _fill(database, "uids", with_ids(UIDS, ids), harvests.uids())
        database.execute(_UNANSWERED)
        if harvests.is_graph:
            database.execute(_GRAPH)
        database.execute("CHECKPOINT")


def _fill(
    database: DuckDBPyConnection, name: str, schema: pa.Schema, tables: Iterable[pa.Table]
) -> None:
    """Create a table with rows."""
    plain = pa.schema([field.with_type(_plain(field.type)) for field in schema])
    batches = (batch for table in tables for batch in table.cast(plain).to_batches())
    database.register("arriving", pa.RecordBatchReader.from_batches(plain, batches))
    database.execute(f'CREATE TABLE "{name}" AS SELECT * FROM arriving')  # noqa: S608
    database.unregister("arriving")


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind
