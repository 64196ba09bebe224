"""What every sink must do: other readers find the rows that were written."""

from __future__ import annotations

import gzip
import io
import json
import threading
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvester.model.schemas import NEIGHBOR_LINKS, UIDS
from harvester.store.sinks import Sink, make_sink
from harvester.store.sinks import parquet as parquet_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Row = dict[str, Any]

FORMS = [
    ("parquet", "zstd"),
    ("parquet", "gzip"),
    ("parquet", "none"),
    ("jsonl", "none"),
    ("jsonl", "gzip"),
    ("jsonl", "zstd"),
]
_SUFFIXES = {"none": ".jsonl", "gzip": ".jsonl.gz", "zstd": ".jsonl.zst"}
_INT64 = st.integers(-(2**63), 2**63 - 1)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_LINKS = st.fixed_dictionaries(
    {
        "dbfrom": st.sampled_from(["pubmed", "gene"]),
        "from_uid": st.integers(1, 2**63 - 1),
        "dbto": _TEXT,
        "linkname": _TEXT,
        "to_uid": st.integers(1, 2**63 - 1),
        "score": st.none() | _INT64,
        "rank": st.integers(0, 2**31 - 1),
    }
)
_UIDS = st.fixed_dictionaries(
    {
        "dbfrom": st.sampled_from(["pubmed", "gene"]),
        "from_uid": st.integers(1, 2**63 - 1),
        "outcome": st.sampled_from(["linked", "empty", "missing", "failed"]),
        "links": st.integers(0, 2**63 - 1),
        "reason": st.none() | _TEXT,
    }
)
NASTY = [
    'quotes " and \\ backslashes \\" \\u0041',
    "line\nends\r\nand\ttabs",
    "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "ünïcödé 漢字 🧬 \u2028\u2029\ufeff",
    "",
    " ",
    "null",
    "}{][,:",
    "x" * 100_000,
]
in_any_place = settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=FORMS, ids=["-".join(form) for form in FORMS])
def sink(request: pytest.FixtureRequest) -> Sink:
    return make_sink(*request.param)


def _table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Return rows as a table; each call makes its own dictionaries."""
    columns = []
    for field in schema:
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        values = pa.array([row[field.name] for row in rows], plain)
        columns.append(values if plain == field.type else values.dictionary_encode())
    return pa.Table.from_arrays(columns, schema=schema)


def _write(sink: Sink, table: pa.Table, folder: Path, name: str = "part") -> Path:
    path = folder / f"{name}{sink.suffix}"
    with path.open("wb") as stream:
        sink.write([table], stream)
    return path


def _merge(sink: Sink, paths: Sequence[Path], folder: Path) -> Path:
    path = folder / f"merged{sink.suffix}"
    with path.open("wb") as stream:
        sink.merge(_opened(paths), stream)
    return path


def _opened(paths: Sequence[Path]) -> Iterator[IO[bytes]]:
    """Yield opened files, one at a time, as the ledger does."""
    for path in paths:
        with path.open("rb") as stream:
            yield stream


def _lines(path: Path) -> bytes:
    """Return the decompressed bytes of a JSONL part, by readers other than Arrow."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        with path.open("rb") as stream:
            unpack = zstandard.ZstdDecompressor()
            return unpack.stream_reader(stream, read_across_frames=True).read()
    return path.read_bytes()


def _rows(path: Path) -> list[Row]:
    if path.suffix == ".parquet":
        rows: list[Row] = pq.read_table(path).to_pylist()
        return rows
    return [json.loads(line) for line in _lines(path).decode("utf-8").split("\n")[:-1]]


def _link(uid: int, **changed: Any) -> Row:
    row = {
        "dbfrom": "pubmed",
        "from_uid": uid,
        "dbto": "pmc",
        "linkname": "pubmed_pmc",
        "to_uid": uid * 7,
        "score": None,
        "rank": 0,
    }
    return row | changed


def _outcome(uid: int, **changed: Any) -> Row:
    row = {"dbfrom": "pubmed", "from_uid": uid, "outcome": "linked", "links": 3, "reason": None}
    return row | changed


# --- what goes in comes out -----------------------------------------------------------------


@in_any_place
@given(rows=st.lists(_LINKS, max_size=20))
def test_any_links_come_out_as_they_went_in(sink: Sink, tmp_path: Path, rows: list[Row]) -> None:
    assert _rows(_write(sink, _table(rows, NEIGHBOR_LINKS), tmp_path)) == rows


@in_any_place
@given(rows=st.lists(_UIDS, max_size=20))
def test_any_outcomes_come_out_as_they_went_in(sink: Sink, tmp_path: Path, rows: list[Row]) -> None:
    assert _rows(_write(sink, _table(rows, UIDS), tmp_path)) == rows


def test_reasons_of_every_kind_survive(sink: Sink, tmp_path: Path) -> None:
    rows = [_outcome(uid, reason=text) for uid, text in enumerate([*NASTY, None, *NASTY], 1)]
    assert _rows(_write(sink, _table(rows, UIDS), tmp_path)) == rows


@pytest.mark.parametrize(
    "scores", [[None] * 4, [1, 2, 3, 4], [None, 5, None, 0], [2**63 - 1, -(2**63), 0, None]]
)
def test_scores_may_be_there_or_not(sink: Sink, tmp_path: Path, scores: list[int | None]) -> None:
    rows = [_link(uid, score=score) for uid, score in enumerate(scores, 1)]
    assert _rows(_write(sink, _table(rows, NEIGHBOR_LINKS), tmp_path)) == rows


@pytest.mark.parametrize("schema", [NEIGHBOR_LINKS, UIDS], ids=["links", "uids"])
def test_a_table_without_rows_is_a_whole_file(
    sink: Sink, tmp_path: Path, schema: pa.Schema
) -> None:
    assert _rows(_write(sink, _table([], schema), tmp_path)) == []


def test_tables_with_dictionaries_of_their_own_are_joined(sink: Sink, tmp_path: Path) -> None:
    """Each answer has its own dictionary: one code means another name in every chunk."""
    batches = [
        [_link(uid, dbto=f"db{number % 5}", linkname=f"name_{number}_{uid}") for uid in (1, 2)]
        for number in range(60)
    ]
    table = pa.concat_tables([_table(rows, NEIGHBOR_LINKS) for rows in batches])
    expected = [row for rows in batches for row in rows]
    assert _rows(_write(sink, table, tmp_path)) == expected


def test_a_slice_of_a_table_is_only_that_slice(sink: Sink, tmp_path: Path) -> None:
    rows = [_outcome(uid, reason=f"reason {uid}") for uid in range(1, 101)]
    table = _table(rows, UIDS).slice(37, 20)
    assert _rows(_write(sink, table, tmp_path)) == rows[37:57]


def test_many_rows_are_all_there_in_their_order(sink: Sink, tmp_path: Path) -> None:
    count = 150_000
    numbers = pa.array(range(1, count + 1), pa.int64())
    table = _table([_link(1)], NEIGHBOR_LINKS).take(pa.array([0] * count))
    table = table.set_column(1, NEIGHBOR_LINKS.field(1), numbers)
    path = _write(sink, table, tmp_path)
    if path.suffix == ".parquet":
        found = pq.read_table(path)["from_uid"].to_pylist()
    else:
        lines = _lines(path).splitlines()
        found = [int(line.split(b'"from_uid":')[1].split(b",")[0]) for line in lines]
        assert json.loads(lines[-1]) == _link(1, from_uid=count)
    assert found == list(range(1, count + 1))


# --- merging --------------------------------------------------------------------------------


@pytest.mark.parametrize("row_group", [1, 3, 10, 1 << 20])
def test_merged_parts_have_all_rows_in_their_order(
    sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row_group: int
) -> None:
    monkeypatch.setattr(parquet_module, "ROW_GROUP", row_group)
    parts = [
        [_link(uid, linkname=f"name_{number}", score=uid or None) for uid in range(number)]
        for number in range(9)
    ]
    paths = [
        _write(sink, _table(rows, NEIGHBOR_LINKS), tmp_path, f"part-{number}")
        for number, rows in enumerate(parts)
    ]
    merged = _merge(sink, paths, tmp_path)
    assert _rows(merged) == [row for rows in parts for row in rows]


def test_merged_parts_can_be_merged_again(sink: Sink, tmp_path: Path) -> None:
    def part(name: str, *uids: int) -> Path:
        rows = [_outcome(uid, reason=f"é {name}") for uid in uids]
        return _write(sink, _table(rows, UIDS), tmp_path, name)

    first = _merge(sink, [part("a", 1, 2), part("b", 3)], tmp_path).rename(
        tmp_path / f"first{sink.suffix}"
    )
    rows = _rows(_merge(sink, [first, part("c", 4)], tmp_path))
    assert [row["from_uid"] for row in rows] == [1, 2, 3, 4]
    assert [row["reason"] for row in rows] == ["é a", "é a", "é b", "é c"]


def test_one_part_alone_stays_as_it_is(sink: Sink, tmp_path: Path) -> None:
    rows = [_link(uid) for uid in (1, 2, 3)]
    path = _write(sink, _table(rows, NEIGHBOR_LINKS), tmp_path)
    assert _rows(_merge(sink, [path], tmp_path)) == rows


# --- the file -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=["-".join(form) for form in FORMS])
def test_the_suffix_tells_form_and_compression(form: tuple[Any, Any]) -> None:
    expected = ".parquet" if form[0] == "parquet" else _SUFFIXES[form[1]]
    assert make_sink(*form).suffix == expected


def test_the_same_rows_make_the_same_bytes(sink: Sink, tmp_path: Path) -> None:
    table = _table([_link(uid) for uid in range(1, 50)], NEIGHBOR_LINKS)
    one, other = (_write(sink, table, tmp_path).read_bytes() for _ in range(2))
    assert one == other


_JSONL = [form for form in FORMS if form[0] == "jsonl"]
_PARQUET = [form for form in FORMS if form[0] == "parquet"]


@pytest.mark.parametrize("codec", [codec for _, codec in _JSONL])
def test_jsonl_has_the_fields_of_the_interface_in_its_order_and_types(
    tmp_path: Path, codec: Any
) -> None:
    sink = make_sink("jsonl", codec)
    large = _link(2**63 - 1, to_uid=2**62, score=5, rank=7)
    links = _write(sink, _table([large, _link(1)], NEIGHBOR_LINKS), tmp_path, "links")
    assert _lines(links) == (
        b'{"dbfrom":"pubmed","from_uid":9223372036854775807,"dbto":"pmc",'
        b'"linkname":"pubmed_pmc","to_uid":4611686018427387904,"score":5,"rank":7}\n'
        b'{"dbfrom":"pubmed","from_uid":1,"dbto":"pmc",'
        b'"linkname":"pubmed_pmc","to_uid":7,"score":null,"rank":0}\n'
    )
    uids = _write(sink, _table([_outcome(5, reason='a"b')], UIDS), tmp_path, "uids")
    assert _lines(uids) == (
        b'{"dbfrom":"pubmed","from_uid":5,"outcome":"linked","links":3,"reason":"a\\"b"}\n'
    )


@pytest.mark.parametrize("codec", [codec for _, codec in _JSONL])
def test_each_row_is_one_line_whatever_is_in_it(tmp_path: Path, codec: Any) -> None:
    rows = [_outcome(uid, reason=text) for uid, text in enumerate(NASTY, 1)]
    text = _lines(_write(make_sink("jsonl", codec), _table(rows, UIDS), tmp_path))
    assert text.count(b"\n") == len(rows)
    assert text.endswith(b"}\n")
    assert b"\r" not in text


@pytest.mark.parametrize(
    ("codec", "magic"), [("gzip", b"\x1f\x8b"), ("zstd", b"\x28\xb5\x2f\xfd"), ("none", b"{")]
)
def test_jsonl_is_compressed_as_its_name_says(tmp_path: Path, codec: Any, magic: bytes) -> None:
    path = _write(make_sink("jsonl", codec), _table([_link(1)], NEIGHBOR_LINKS), tmp_path)
    assert path.read_bytes().startswith(magic)


def test_arrow_reads_merged_zstd_and_gzip_to_the_end(tmp_path: Path) -> None:
    """pandas, Polars and DuckDB use Arrow's reader; the file has several frames or members."""
    for codec in ("zstd", "gzip"):
        sink = make_sink("jsonl", codec)
        paths = [
            _write(sink, _table([_link(uid)], NEIGHBOR_LINKS), tmp_path, f"{codec}-{uid}")
            for uid in (1, 2, 3)
        ]
        with pa.input_stream(str(_merge(sink, paths, tmp_path)), compression=codec) as stream:
            assert stream.read().count(b"\n") == 3


@pytest.mark.parametrize("schema", [NEIGHBOR_LINKS, UIDS], ids=["links", "uids"])
@pytest.mark.parametrize("codec", [codec for _, codec in _PARQUET])
def test_parquet_has_the_schema_of_the_interface(
    tmp_path: Path, codec: Any, schema: pa.Schema
) -> None:
    sink = make_sink("parquet", codec)
    row = _link(1) if schema is NEIGHBOR_LINKS else _outcome(1)
    paths = [_write(sink, _table([row], schema), tmp_path, name) for name in ("one", "two")]
    for path in (*paths, _merge(sink, paths, tmp_path)):
        assert pq.read_schema(path).equals(schema)
    names = {field.name: str(field.type) for field in pq.read_schema(paths[0])}
    assert names["from_uid"] == "int64"
    assert names["dbfrom"].startswith("dictionary<values=string")


@pytest.mark.parametrize(("codec", "stored"), [("zstd", "ZSTD"), ("gzip", "GZIP")])
def test_parquet_is_compressed_as_asked(tmp_path: Path, codec: Any, stored: str) -> None:
    sink = make_sink("parquet", codec)
    rows = [_link(uid, to_uid=uid * 31) for uid in range(1, 2000)]
    group = pq.ParquetFile(_write(sink, _table(rows, NEIGHBOR_LINKS), tmp_path)).metadata.row_group(
        0
    )
    assert {group.column(at).compression for at in range(group.num_columns)} == {stored}


def test_parquet_merges_into_full_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_module, "ROW_GROUP", 100)
    sink = make_sink("parquet", "zstd")
    rows = [_outcome(uid) for uid in range(1, 11)]
    paths = [_write(sink, _table(rows, UIDS), tmp_path, f"part-{at}") for at in range(35)]
    metadata = pq.read_metadata(_merge(sink, paths, tmp_path))
    assert metadata.num_rows == 350
    sizes = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
    assert sizes == [100, 100, 100, 50]


@pytest.mark.parametrize(("form", "codec"), FORMS)
def test_arrow_reads_from_disk_without_python(tmp_path: Path, form: Any, codec: Any) -> None:
    """An Arrow thread that holds Python's memory while Python ends aborts the process."""
    threads = set()

    class Watched(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            threads.add(threading.get_ident())
            return super().read(size)

    sink = make_sink(form, codec)
    table = _table([_link(uid) for uid in range(1, 200)], NEIGHBOR_LINKS)
    with Watched(str(_write(sink, table, tmp_path))) as part:
        assert pa.concat_tables(sink.read(part, NEIGHBOR_LINKS)).num_rows == len(table)
        assert threads <= {threading.get_ident()}
