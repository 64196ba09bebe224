"""Fields of summaries as properties of nodes."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import duckdb
import igraph
import networkx as nx
import pytest
from support.finished_harvests import PMIDS, make_summaries, pubmed_harvest, true_links

from harvester.api.export import export
from harvester.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

TITLE = 'A <b>"quoted"</b> & long, title\twith\x1b[31m controls'
INERT = 'A <b>"quoted"</b> & long, title with [31m controls'


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A harvest with summaries of its genes, and of all of its input but the first UID."""
    out = pubmed_harvest(tmp_path / "out")
    genes = {r["to_uid"] for r in true_links().to_pylist() if r["dbto"] == "gene"}
    make_summaries(out, "gene", {uid: {"name": f"G{uid}"} for uid in genes})
    make_summaries(out, "pubmed", {uid: {"title": TITLE} for uid in PMIDS[1:]}, side="from")
    return out


def _expected(db: str, uid: int) -> tuple[str, str]:
    """Return symbol and title of a record; a gene without description has its symbol as title."""
    if db == "gene":
        return f"G{uid}", f"G{uid}"
    return "", INERT if db == "pubmed" and uid in PMIDS[1:] else ""


def test_graphml_and_duckdb_have_them(out: Path, tmp_path: Path) -> None:
    export(out, "graphml", tmp_path / "a.graphml", columns=["symbol", "title"])
    graph = nx.read_graphml(tmp_path / "a.graphml", force_multigraph=True)
    assert graph.number_of_edges() == true_links().num_rows
    for _, data in graph.nodes(data=True):
        found = (data.get("symbol", ""), data.get("title", ""))
        assert found == _expected(data["db"], data["uid"])
    export(out, "duckdb", tmp_path / "a.duckdb", columns=["symbol", "title"])
    with duckdb.connect(str(tmp_path / "a.duckdb"), read_only=True) as database:
        rows = database.sql("SELECT db, uid, symbol, title FROM nodes").fetchall()
    assert len(rows) == graph.number_of_nodes()
    for db, uid, symbol, title in rows:
        expected = _expected(db, uid)
        assert symbol == (expected[0] or None)
        assert title == (TITLE if expected[1] == INERT else expected[1] or None)


def test_neo4j_and_kgx_have_them(out: Path, tmp_path: Path) -> None:
    export(out, "neo4j", tmp_path / "neo", columns=["symbol", "title"])
    header = (tmp_path / "neo" / "nodes-pubmed-header.csv").read_text()
    assert header == "uid:ID(pubmed),:LABEL,symbol,title\n"
    with (tmp_path / "neo" / "nodes-pubmed.csv").open(newline="") as stream:
        for uid, label, *found in csv.reader(stream):
            assert label == "pubmed"
            assert tuple(found) == _expected("pubmed", int(uid))
    export(out, "kgx", tmp_path / "kg", columns=["title"])
    with (tmp_path / "kg" / "kg_nodes.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    names = {row["id"]: row["name"] for row in rows}
    assert names[f"PMID:{PMIDS[0]}"] == ""
    assert names[f"PMID:{PMIDS[1]}"] == INERT


def test_what_cannot_have_them_is_refused(out: Path, tmp_path: Path) -> None:
    for form, columns, said in (
        ("npz", ["title"], "not for npz"),
        ("kgx", ["uid"], "Leave uid out"),
        ("graphml", ["nothing"], "has a field 'nothing'"),
    ):
        with pytest.raises(BadInput, match=said):
            export(out, form, tmp_path / "a", columns=columns)


@pytest.mark.parametrize("char", ["\x00", "\x0b", "\x85", "\u2028", "\ufffe", "\uffff"])
def test_characters_that_xml_may_not_hold_become_blanks(tmp_path: Path, char: str) -> None:
    out, to = pubmed_harvest(tmp_path / "out"), tmp_path / "a.graphml"
    make_summaries(out, "pubmed", {PMIDS[0]: {"title": f"a{char}b"}}, side="from")
    export(out, "graphml", to, columns=["title"])
    assert nx.read_graphml(to).nodes[f"pubmed:{PMIDS[0]}"]["title"] == "a b"


@pytest.mark.parametrize("name", ["score", "rank", "linkname", "a name & <more>"])
def test_a_field_may_have_the_name_of_a_property_of_links(tmp_path: Path, name: str) -> None:
    out, to = pubmed_harvest(tmp_path / "out"), tmp_path / "a.graphml"
    make_summaries(out, "pubmed", {uid: {name: f"of {uid}"} for uid in PMIDS}, side="from")
    export(out, "graphml", to, columns=[name])
    graph = nx.read_graphml(to, force_multigraph=True)
    for _, data in graph.nodes(data=True):
        assert data.get(name) == (f"of {data['uid']}" if data["db"] == "pubmed" else None)
    ranks = sorted(row["rank"] for row in true_links().to_pylist())
    assert sorted(data["rank"] for _, _, data in graph.edges(data=True)) == ranks
    assert igraph.Graph.Read_GraphML(str(to)).ecount() == len(ranks)


@pytest.mark.parametrize(
    ("form", "columns"),
    [
        ("kgx", ["category"]),
        ("neo4j", ["a.b", "a_b"]),
        ("duckdb", ["Title", "title"]),
        ("csv", ["Title", "title"]),
        ("wide", ["outcome"]),
        ("wide", ["pubmed_gene"]),
    ],
)
def test_two_columns_of_one_name_are_refused(tmp_path: Path, form: str, columns: list[str]) -> None:
    out = pubmed_harvest(tmp_path / "out")
    record = dict.fromkeys(
        ["category", "name", "title", "Title", "a_b", "outcome", "pubmed_gene"], "x"
    )
    make_summaries(out, "pubmed", {PMIDS[0]: record | {"a": {"b": "y"}}}, side="from")
    wide = form == "wide"
    with pytest.raises(BadInput, match=r"Two columns would have the name .*--columns"):
        export(out, "csv" if wide else form, tmp_path / "to", columns=columns, wide=wide)
    assert list(tmp_path.iterdir()) == [out]
