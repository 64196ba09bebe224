"""parquet: one file, sorted by from_uid, that old and small readers can read too.

Format 1.0 with plain and dictionary encoding and pages of version 1, compressed with zstd. Spark,
nanoparquet (R) and StarRocks read these; newer encodings of integers some of them do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from harvester.export.table import sort_key, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests

ROW_GROUP = 1 << 19
"""Rows per row group: some 8 MB of links on disk."""


def write(harvests: Harvests, to: Destination, options: Options) -> None:
    """Write one Parquet file."""
    schema, tables = table_of(harvests, to, options, ordered=True)
    key = sort_key(schema)
    names = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    with pq.ParquetWriter(
        to.path,
        schema,
        version="1.0",
        data_page_version="1.0",
        compression="zstd",
        use_dictionary=names,
        store_schema=False,
        sorting_columns=None
        if key is None
        else [pq.SortingColumn(schema.get_field_index(key), nulls_first=False)],
    ) as writer:
        for group in _groups(tables):
            writer.write_table(group, row_group_size=ROW_GROUP)


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows in tables of about one row group."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= ROW_GROUP:
            yield pa.concat_tables(held).unify_dictionaries()
            held = []
    if held:
        yield pa.concat_tables(held).unify_dictionaries()
