"""The table of csv, tsv, xlsx and parquet: links, or one row per UID."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.export.sorting import sort_rows
from harvester.export.summaries import Summaries, check_names, schema_with_fields, with_fields
from harvester.export.wide import wide_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests


SORTED_BY = ("from_uid", "to_uid")
"""Rows are sorted by the first of these columns that they have."""


def table_of(
    harvests: Harvests, to: Destination, options: Options, *, ordered: bool = False
) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Return the schema and the rows of a table.

    Args:
        harvests: what is exported.
        to: has room for temporary files.
        options: what the table is to hold.
        ordered: whether the rows have to be sorted; those of one per UID always are.

    Raises:
        BadInput: the harvests do not have what the options ask for.
    """
    summaries = Summaries(harvests, options.columns, to.scratch) if options.columns else None
    if options.wide:
        schema, rows = wide_table(harvests, summaries, to.scratch)
        check_names(schema.names)
        return schema, rows
    rows, key = harvests.links(), sort_key(harvests.schema)
    if ordered and key is not None:
        rows = sort_rows(rows, key, to.scratch, harvests.link_count)
    if summaries is None:
        return harvests.schema, rows
    schema = schema_with_fields(harvests.schema, summaries)
    if schema == harvests.schema:
        raise BadInput(f"The rows of {harvests.names} name no record that has a summary.")
    check_names(schema.names)
    return schema, with_fields(rows, summaries, schema)


def sort_key(schema: pa.Schema) -> str | None:
    """Return the column by which rows are sorted; None if they have none of `SORTED_BY`."""
    return next((name for name in SORTED_BY if name in schema.names), None)
