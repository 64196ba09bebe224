"""The table that csv, tsv, xlsx and parquet hold: links, or one row per UID."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.export.summaries import Summaries, schema_with_fields, with_fields
from harvester.export.wide import wide_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests


def table_of(
    harvests: Harvests, to: Destination, options: Options
) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Return the schema and the rows of a table.

    Args:
        harvests: what is exported.
        to: has room for temporary files.
        options: what the table is to hold.

    Raises:
        BadInput: the harvests do not have what the options ask for.
    """
    summaries = Summaries(harvests, options.columns, to.scratch) if options.columns else None
    if options.wide:
        return wide_table(harvests, summaries, to.scratch)
    if summaries is None:
        return harvests.schema, harvests.links()
    schema = schema_with_fields(harvests.schema, summaries)
    if schema == harvests.schema:
        raise BadInput(f"The rows of {harvests.names} name no record that has a summary.")
    return schema, with_fields(harvests.links(), summaries, schema)
