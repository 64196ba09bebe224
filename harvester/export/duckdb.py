"""duckdb: a database with the tables of the harvest, and a graph of nodes and edges.

`links` and `uids` have the columns of the harvest. If the links lead to records, `nodes` has each
record of either end once, and the view `edges` has the links between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.errors import BadInput, HarvestError
from harvester.export import need
from harvester.export.nodes import Nodes, edge_properties
from harvester.export.summaries import check_names, node_fields
from harvester.export.text import texts
from harvester.model import lazy_compute as pc
from harvester.model.schemas import UIDS, with_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests
    from harvester.export.summaries import NodeFields

_MEMORY = "64MB"
"""DuckDB's memory limit. It writes the rest to temporary files beside the destination."""

_EDGES = """
CREATE VIEW edges AS
SELECT
    dbfrom || ':' || from_uid AS source,
    dbto || ':' || to_uid AS target,
    dbfrom AS source_db, from_uid AS source_uid, dbto AS target_db, to_uid AS target_uid,
    {properties}
FROM links
"""

_LINKNAMES = """
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


def write(harvests: Harvests, to: Destination, options: Options) -> None:
    """Write a DuckDB database."""
    need("duckdb")
    import duckdb  # noqa: PLC0415

    if options.columns and not harvests.is_graph:
        raise BadInput(f"The rows of {harvests.names} name no records that --columns could be of.")
    check_names(options.columns)
    fields = node_fields(harvests, options.columns, to.scratch)
    # Collected first: DuckDB does not free memory, so the memory of both would add up.
    nodes = Nodes(harvests) if harvests.is_graph else None

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "threads": 1,
        "temp_directory": str(to.scratch),
        "preserve_insertion_order": False,
    }
    try:
        with duckdb.connect(str(to.path), config=config) as database:
            _write(database, harvests, nodes, options.columns, fields)
    except duckdb.Error as error:
        raise HarvestError(
            f"DuckDB could not write {to.final} ({str(error).splitlines()[0]}). "
            "Nothing was written."
        ) from error


def _write(
    database: DuckDBPyConnection,
    harvests: Harvests,
    nodes: Nodes | None,
    names: Sequence[str],
    fields: NodeFields,
) -> None:
    _fill(database, "links", harvests.schema, harvests.links())
    ids = harvests.first.identifiers.type
    _fill(database, "uids", with_ids(UIDS, ids), harvests.uids())
    database.execute(_UNANSWERED)
    if nodes is not None:
        columns = [("id", pa.string()), ("db", pa.string()), ("uid", ids)]
        schema = pa.schema([*columns, *((name, pa.string()) for name in names)])
        _fill(database, "nodes", schema, _nodes(nodes, schema, fields))
        properties = ", ".join(["linkname", *edge_properties(harvests.schema)])
        database.execute(_EDGES.format(properties=properties))
        database.execute(_LINKNAMES)
    database.execute("CHECKPOINT")


def _nodes(nodes: Nodes, schema: pa.Schema, fields: NodeFields) -> Iterator[pa.Table]:
    for db, uids in nodes.batches():
        ids = pc.binary_join_element_wise(texts(db), texts(uids), ":")
        columns = [ids, texts(db), uids, *fields(db, uids)]
        yield pa.Table.from_arrays(columns, schema=schema)


def _fill(
    database: DuckDBPyConnection, name: str, schema: pa.Schema, tables: Iterable[pa.Table]
) -> None:
    """Create a table with rows."""
    plain = pa.schema([field.with_type(_plain(field.type)) for field in schema])
    failed: list[Exception] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for table in tables:
                yield from table.cast(plain).to_batches()
        except Exception as error:
            failed.append(error)
            raise

    database.register("arriving", pa.RecordBatchReader.from_batches(plain, batches()))
    try:
        database.execute(f'CREATE TABLE "{name}" AS SELECT * FROM arriving')  # noqa: S608
    except Exception:
        if failed:  # DuckDB has replaced the original error
            raise failed[0] from None
        raise
    database.unregister("arriving")


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind
