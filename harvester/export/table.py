"""The table that csv, tsv, xlsx and parquet hold: links, or one row per UID."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests


def table_of(
    harvests: Harvests,
    to: Destination,  # noqa: ARG001
    options: Options,  # noqa: ARG001
) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Return the schema and the rows of a table.

    Args:
        harvests: what is exported.
        to: has room for temporary files.
        options: what the table is to hold.

    Raises:
        BadInput: the harvests do not have what the options ask for.
    """
    return harvests.schema, harvests.links()
