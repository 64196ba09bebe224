"""Small link tables for tests of their writers and readers."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from harvester.model.schemas import NEIGHBOR_LINKS, UIDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Row = dict[str, Any]


def links_of(*uids: int, each: int = 2) -> list[Row]:
    """Return some links of each UID."""
    return [
        {
            "dbfrom": "pubmed",
            "from_uid": uid,
            "dbto": "pmc",
            "linkname": "pubmed_pmc",
            "to_uid": uid * 1000 + rank,
            "score": None,
            "rank": rank,
        }
        for uid in uids
        for rank in range(each)
    ]


def outcomes_of(*uids: int, outcome: str = "linked", links: int = 2) -> list[Row]:
    """Return the rows of `uids` for UIDs with one outcome."""
    return [
        {"dbfrom": "pubmed", "from_uid": uid, "outcome": outcome, "links": links, "reason": None}
        for uid in uids
    ]


def links_table(rows: Iterable[Row]) -> pa.Table:
    return _table(rows, NEIGHBOR_LINKS)


def uids_table(rows: Iterable[Row]) -> pa.Table:
    return _table(rows, UIDS)


def _table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    listed = list(rows)
    columns = []
    for field in schema:
        values = pa.array([row[field.name] for row in listed], _plain(field.type))
        columns.append(values.dictionary_encode() if values.type != field.type else values)
    return pa.Table.from_arrays(columns, schema=schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def read_part(path: Path) -> list[Row]:
    """Return the rows of a part, read by other libraries."""
    if path.suffix == ".parquet":
        rows: list[Row] = pq.read_table(path).to_pylist()
        return rows
    return [json.loads(line) for line in read_bytes(path).decode("utf-8").split("\n")[:-1]]


def read_bytes(path: Path) -> bytes:
    """Return the decompressed bytes of a JSONL part."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        with path.open("rb") as stream:
            reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
            return reader.read()
    return path.read_bytes()
