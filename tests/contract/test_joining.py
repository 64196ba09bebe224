"""Row groups copied from file to file: pyarrow reads the result."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harvester.store.sinks import parquet as parquet_module
from harvester.store.sinks import parquet_footer
from harvester.store.sinks.parquet import ParquetSink
from harvester.store.sinks.parquet_footer import Footer, Joined, is_whole, rows_of

WIDE = {
    **{f"number_{at}": pa.array([at, None, 2**62 - at]) for at in range(20)},
    "flag": pa.array([True, None, False]),
    "half": pa.array([0.5, -1.5, None]),
    "texts": pa.array([["a", None], [], None]),
    "nested": pa.array([{"x": [{"y": 1}]}, None, {"x": []}]),
    "bytes": pa.array([b"\0" * 300, b"", None]),
    "name": pa.array(["é", "b", "é"]).dictionary_encode(),
    "when": pa.array([0, 1, None], pa.timestamp("us", tz="UTC")),
}
"""Whatever a footer may have to say: more than 15 columns, and every kind of value."""


def _file(table: pa.Table, **options: Any) -> io.BytesIO:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream


def _joined(*files: io.BytesIO) -> io.BytesIO:
    stream = io.BytesIO()
    joined = Joined(stream)
    for file in files:
        footer = Footer(file)
        for group in footer.row_groups:
            joined.copy(file, footer, group)
    joined.close()
    return stream


def _numbers(first: int, count: int) -> pa.Table:
    return pa.table({"uid": np.arange(first, first + count)})


@pytest.mark.parametrize("codec", ["none", "zstd", "snappy"])
@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_a_file_joined_with_nothing_is_the_same_file(codec: str, version: str) -> None:
    table = pa.table(WIDE)
    file = _file(table, compression=codec, version=version, row_group_size=2)
    again = _joined(file)
    assert pq.read_table(again).equals(table)
    before, after = (pq.read_metadata(one).to_dict() for one in (file, again))
    assert after | {"serialized_size": 0} == before | {"serialized_size": 0}


def test_statistics_and_schema_go_along() -> None:
    tables = [_numbers(0, 10), _numbers(100, 10)]
    merged = _joined(*map(_file, tables))
    metadata = pq.read_metadata(merged)
    bounds = [metadata.row_group(at).column(0).statistics for at in range(2)]
    assert [(one.min, one.max) for one in bounds] == [(0, 9), (100, 109)]
    assert pq.read_table(merged, filters=[("uid", ">", 50)]).equals(tables[1])
    assert pq.read_schema(merged).equals(tables[0].schema)


def test_what_is_no_parquet_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a Parquet file"):
        Footer(io.BytesIO(b"PAR1 and then something else"))


def test_a_row_group_with_a_separate_index_is_detected() -> None:
    table = _numbers(0, 10)
    for indexed in (False, True):
        file = _file(table, write_page_index=indexed)
        assert [is_whole(group) for group in Footer(file).row_groups] == [not indexed]


# --- the sink chooses --------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@example(sizes=[2, 3, 3, 3, 0], codec="zstd")
@example(sizes=[2, 3, 3, 3, 1], codec="zstd")
@example(sizes=[0, 12, 0], codec="zstd")
@example(sizes=[0, 0], codec="zstd")
@given(
    sizes=st.lists(st.integers(0, 25), min_size=1, max_size=6),
    codec=st.sampled_from(["zstd", "none"]),
)
def test_all_rows_come_in_their_order_copied_or_written_anew(sizes: list[int], codec: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_module, "ROW_GROUP", 10)
        patch.setattr(parquet_module, "COPIED", 4)
        sink, files, first = ParquetSink(codec), [], 0
        for size in sizes:
            file = io.BytesIO()
            sink.write([_numbers(first, size)], file)
            files.append(file)
            first += size
        merged = io.BytesIO()
        sink.merge(files, merged)
    assert pq.read_table(merged)["uid"].to_pylist() == list(range(first))
    groups = [rows_of(group) for group in Footer(merged).row_groups]
    whole = [min(10, size - at) for size in sizes for at in range(0, size, 10)]
    assert [rows for rows in groups if rows == 10] or 10 not in whole
    assert not any(one < 4 and two < 4 for one, two in itertools.pairwise(groups))


def test_a_copied_row_group_has_the_same_bytes() -> None:
    sink, file, merged = ParquetSink("zstd"), io.BytesIO(), io.BytesIO()
    sink.write([_numbers(0, parquet_module.COPIED)], file)
    sink.merge([file, file], merged)
    column = pq.read_metadata(file).row_group(0).column(0)
    start = column.data_page_offset
    pages = file.getvalue()[start : start + column.total_compressed_size]
    assert merged.getvalue().count(pages) == 2


@pytest.mark.parametrize("rows", [5, parquet_module.COPIED])
def test_parts_of_other_writers_are_decoded(rows: int) -> None:
    """Their columns may be nullable, or their pages indexed."""
    table = _numbers(0, rows)
    strict = table.cast(pa.schema([pa.field("uid", pa.int64(), nullable=False)]))
    merged = io.BytesIO()
    ParquetSink("zstd").merge([_file(strict), _file(table, write_page_index=True)], merged)
    assert pq.read_table(merged).equals(pa.concat_tables([strict, strict]))


# --- when pyarrow's files cannot be joined ----------------------------------------------------


def _read_nothing(*_: object) -> None:
    raise parquet_footer.UnknownFooter("a footer with a field of type 13")


def _copy_wrongly(group: parquet_footer.Struct, by: int, ordinal: int) -> parquet_footer.Struct:
    return group


@pytest.mark.parametrize(
    ("name", "changed"), [("_read_struct", _read_nothing), ("_moved", _copy_wrongly)]
)
def test_without_copying_parts_are_merged_by_decoding(
    name: str, changed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later pyarrow may write unknown footers, or give fields another meaning."""
    assert parquet_module.can_copy("zstd")
    sizes = [5, parquet_module.ROW_GROUP, 3, 7]
    files = [_file(_numbers(10**6 * at, size)) for at, size in enumerate(sizes)]
    truth = pa.concat_tables([_numbers(10**6 * at, size) for at, size in enumerate(sizes)])
    monkeypatch.setattr(parquet_footer, name, changed)
    parquet_module.can_copy.cache_clear()
    try:
        assert not parquet_module.can_copy("zstd")
        merged = io.BytesIO()
        ParquetSink("zstd").merge(files, merged)
    finally:
        parquet_module.can_copy.cache_clear()
    assert pq.read_table(merged).equals(truth)
    groups = pq.ParquetFile(merged).metadata
    rows = [groups.row_group(at).num_rows for at in range(groups.num_row_groups)]
    assert max(rows) <= parquet_module.ROW_GROUP


@pytest.mark.parametrize("size", [5, parquet_module.COPIED])
def test_a_part_with_an_unknown_footer_is_decoded(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [_file(_numbers(10**6 * at, size)) for at in range(3)]

    def read_footer(file: io.BytesIO) -> Footer:
        if file is files[1]:
            _read_nothing()
        return Footer(file)

    assert parquet_module.can_copy("zstd")
    monkeypatch.setattr(parquet_module, "Footer", read_footer)
    merged = io.BytesIO()
    ParquetSink("zstd").merge(files, merged)
    truth = pa.concat_tables([_numbers(10**6 * at, size) for at in range(3)])
    assert pq.read_table(merged).equals(truth)


@pytest.mark.parametrize("keep", [0, 8, 20])
def test_a_cut_footer_is_unknown(keep: int) -> None:
    whole = _file(pa.table(WIDE)).getvalue()
    cut = io.BytesIO(whole[-keep:] if keep else b"")
    with pytest.raises(parquet_footer.UnknownFooter):
        Footer(cut)
