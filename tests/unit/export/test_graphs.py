"""Graph formats, read by other libraries, have exactly the nodes and links of the graph."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import igraph
import networkx as nx
import numpy as np
import pyarrow as pa
import pyoxigraph
import pytest
import scipy.sparse
from support.finished_harvests import PMIDS, make_harvest, pubmed_harvest, true_links
from support.harness import LINKS

from harvester.api.export import export
from harvester.errors import BadInput
from harvester.export import sorting

if TYPE_CHECKING:
    from pathlib import Path

Edge = tuple[str, str, str]

LINKED = "http://purl.org/spar/cito/cites"


def edges_of(links: pa.Table) -> Counter[Edge]:
    """Return the links as (source, target, linkname)."""
    return Counter(
        (f"{r['dbfrom']}:{r['from_uid']}", f"{r['dbto']}:{r['to_uid']}", r["linkname"])
        for r in links.to_pylist()
    )


def nodes_of(links: pa.Table, uids: list[Any], db: str = "pubmed") -> set[str]:
    """Return the records at both ends, and the input."""
    return {f"{db}:{uid}" for uid in uids} | {
        end for source, target, _ in edges_of(links) for end in (source, target)
    }


COLLIDING = [
    {"dbfrom": "gene", "from_uid": a, "dbto": db, "linkname": f"gene_{db}", "to_uid": b,
     "score": score, "rank": rank}
    for a, db, b, score, rank in [
        (7157, "pubmed", 7157, None, 0),
        (7157, "gene", 7157, 2147483647, 0),
        (7157, "gene", 3_000_000_000, 5, 1),
        (5, "pubmed", 7157, None, 0),
    ]
]  # fmt: skip
"""UIDs that are equal in two databases, a link to itself, and a UID above 2^31."""


@pytest.fixture(params=["graph", "colliding", "small runs"])
def case(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, pa.Table, set[str]]:
    """A harvest, its links, and its nodes."""
    if request.param == "colliding":
        links = pa.Table.from_pylist(COLLIDING, LINKS)
        out = make_harvest(tmp_path / "out", links, [7157, 5, 9], dbfrom="gene")
        return out, links, nodes_of(links, [7157, 5, 9], "gene")
    if request.param == "small runs":
        monkeypatch.setattr(sorting, "RUN", 40)
        monkeypatch.setattr(sorting, "HEADS", 40)
        monkeypatch.setattr(sorting, "_LEAST", 4)
    links = true_links()
    return pubmed_harvest(tmp_path / "out"), links, nodes_of(links, PMIDS)


Case = tuple["Path", pa.Table, set[str]]


def test_networkx_and_igraph_read_graphml(case: Case, tmp_path: Path) -> None:
    out, links, nodes = case
    to = tmp_path / "links.graphml"
    export(out, "graphml", to)
    graph = nx.read_graphml(to, force_multigraph=True)
    found = Counter((a, b, data["linkname"]) for a, b, data in graph.edges(data=True))
    assert found == edges_of(links)
    assert set(graph.nodes) == nodes
    for name, data in graph.nodes(data=True):
        assert name == f"{data['db']}:{data['uid']}"
        assert type(data["uid"]) is int
    scores = Counter((data["rank"], data.get("score")) for _, _, data in graph.edges(data=True))
    assert scores == Counter((r["rank"], r["score"]) for r in links.to_pylist())
    other = igraph.Graph.Read_GraphML(str(to))
    assert (other.vcount(), other.ecount()) == (len(nodes), links.num_rows)


def test_networkx_reads_adjacency(case: Case, tmp_path: Path) -> None:
    out, links, nodes = case
    to = tmp_path / "links.adjlist"
    export(out, "adjacency", to)
    graph = nx.read_adjlist(to, create_using=nx.DiGraph)
    assert set(graph.edges) == {(a, b) for a, b, _ in edges_of(links)}
    assert set(graph.nodes) == nodes
    for line in to.read_text().splitlines():
        _, *targets = line.split(" ")
        assert len(targets) == len(set(targets))


def _names(path: Path) -> list[str]:
    header, *lines = path.read_text().splitlines()
    assert header == "node\tdb\tuid"
    cells = [line.split("\t") for line in lines]
    assert [int(number) for number, _, _ in cells] == list(range(len(cells)))
    return [f"{db}:{uid}" for _, db, uid in cells]


def test_edgelist_has_numbers_without_gaps(case: Case, tmp_path: Path) -> None:
    out, links, nodes = case
    to = tmp_path / "links.edgelist"
    export(out, "edgelist", to)
    names = _names(tmp_path / "links.nodes.tsv")
    assert set(names) == nodes
    assert len(names) == len(nodes)
    graph = nx.read_edgelist(to, nodetype=int, create_using=nx.MultiDiGraph)
    expected = Counter((a, b) for (a, b, _) in edges_of(links).elements())
    assert Counter((names[a], names[b]) for a, b in graph.edges()) == expected
    other = igraph.Graph.Read_Edgelist(str(to))
    assert Counter((names[a], names[b]) for a, b in other.get_edgelist()) == expected


def test_scipy_and_igraph_load_npz(case: Case, tmp_path: Path) -> None:
    out, links, nodes = case
    to = tmp_path / "links.npz"
    export(out, "npz", to)
    matrix = scipy.sparse.load_npz(to)
    with np.load(to) as arrays:
        assert arrays["indptr"].dtype == arrays["indices"].dtype == np.int32
        dbs, linknames = arrays["dbs"].tolist(), arrays["linknames"].tolist()
        names = [
            f"{dbs[db]}:{uid}"
            for db, uid in zip(arrays["node_db"], arrays["node_uid"], strict=True)
        ]
        kinds = [linknames[code] for code in arrays["linkname"]]
        indptr, indices = arrays["indptr"], arrays["indices"]
    assert set(names) == nodes
    assert matrix.shape == (len(nodes), len(nodes))
    sources = np.repeat(np.arange(len(nodes)), np.diff(indptr))
    found = Counter(
        (names[a], names[b], kind) for a, b, kind in zip(sources, indices, kinds, strict=True)
    )
    assert found == edges_of(links)
    out_degrees: dict[str, int] = defaultdict(int)
    for source, _, _ in edges_of(links).elements():
        out_degrees[source] += 1
    assert dict(zip(names, matrix.sum(axis=1).A1, strict=True)) == {
        name: out_degrees[name] for name in names
    }
    for row in range(len(nodes)):
        targets = indices[indptr[row] : indptr[row + 1]]
        assert (np.diff(targets) >= 0).all()
    edges = list(zip(sources.tolist(), indices.tolist(), strict=True))
    graph = igraph.Graph(n=len(nodes), edges=edges, directed=True)
    assert graph.outdegree() == [out_degrees[name] for name in names]


def test_npz_has_the_scores_of_neighbor_score(tmp_path: Path) -> None:
    links = pa.Table.from_pylist(COLLIDING, LINKS)
    out = make_harvest(tmp_path / "out", links, [7157, 5], dbfrom="gene", cmd="neighbor_score")
    export(out, "npz", tmp_path / "a.npz")
    arrays = np.load(tmp_path / "a.npz")
    matrix = scipy.sparse.csr_array((arrays["score"], arrays["indices"], arrays["indptr"])).tocoo()
    names = [
        f"{arrays['dbs'][db]}:{uid}"
        for db, uid in zip(arrays["node_db"], arrays["node_uid"], strict=True)
    ]
    assert Counter(
        (names[a], names[b], int(s))
        for a, b, s in zip(matrix.row, matrix.col, matrix.data, strict=True)
    ) == Counter(
        (f"{r['dbfrom']}:{r['from_uid']}", f"{r['dbto']}:{r['to_uid']}", r["score"] or 0)
        for r in COLLIDING
    )


def test_networkit_takes_the_arrays_of_npz(case: Case, tmp_path: Path) -> None:
    networkit = pytest.importorskip("networkit")
    out, links, nodes = case
    export(out, "npz", tmp_path / "links.npz")
    matrix = scipy.sparse.load_npz(tmp_path / "links.npz").tocoo()
    graph = networkit.GraphFromCoo(
        (matrix.row.astype(np.uint64), matrix.col.astype(np.uint64)),
        n=len(nodes), directed=True,
    )  # fmt: skip
    assert (graph.numberOfNodes(), graph.numberOfEdges()) == (len(nodes), links.num_rows)


_IRIS = {
    "pubmed": "https://identifiers.org/pubmed:{}",
    "pmc": "https://identifiers.org/pmc:PMC{}",
    "gene": "https://identifiers.org/ncbigene:{}",
    "nuccore": "https://www.ncbi.nlm.nih.gov/nuccore/{}",
}


def test_a_sparql_store_reads_ntriples(case: Case, tmp_path: Path) -> None:
    out, links, _ = case
    to = tmp_path / "links.nt.gz"
    export(out, "ntriples", to)
    store = pyoxigraph.Store()
    store.load(gzip.decompress(to.read_bytes()), format=pyoxigraph.RdfFormat.N_TRIPLES)
    found = {
        (quad.subject.value, quad.object.value, quad.predicate.value.partition("#")[2])
        for quad in store
    }
    assert found == {
        (
            _IRIS[r["dbfrom"]].format(r["from_uid"]),
            _IRIS[r["dbto"]].format(r["to_uid"]),
            r["linkname"] if r["linkname"] != "pubmed_pmc_refs" else "",
        )
        for r in links.to_pylist()
    }


def test_citations_are_those_of_cito(tmp_path: Path) -> None:
    rows = [
        {"dbfrom": "pubmed", "from_uid": 1, "dbto": "pubmed", "linkname": name, "to_uid": 2,
         "score": None, "rank": 0}
        for name in ("pubmed_pubmed_refs", "pubmed_pubmed_citedin")
    ]  # fmt: skip
    out = make_harvest(tmp_path / "out", pa.Table.from_pylist(rows, LINKS), [1])
    export(out, "ntriples", tmp_path / "links.nt")
    first, second = "<https://identifiers.org/pubmed:1>", "<https://identifiers.org/pubmed:2>"
    assert sorted((tmp_path / "links.nt").read_text().splitlines()) == [
        f"{first} <http://purl.org/spar/cito/cites> {second} .",
        f"{first} <http://purl.org/spar/cito/isCitedBy> {second} .",
    ]


FORMATS = ["neo4j", "kgx", "ntriples", "graphml", "edgelist", "adjacency", "npz"]


@pytest.mark.parametrize("form", FORMATS)
def test_graphs_refuse_rows_that_are_no_links(tmp_path: Path, form: str) -> None:
    targets = true_links().select(["dbfrom", "dbto", "linkname", "to_uid"])
    one = make_harvest(tmp_path / "one", targets, PMIDS, targets_only=True)
    with pytest.raises(BadInput, match="do not say who links to them"):
        export(one, form, tmp_path / "links")
    flags = pa.table({"dbfrom": ["pubmed"], "from_uid": [1], "has_linkout": [True]})
    two = make_harvest(tmp_path / "two", flags, [1], cmd="lcheck")
    with pytest.raises(BadInput, match=f"lcheck, which lead to no records: {form} needs links"):
        export(two, form, tmp_path / "links")


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_harvest_has_its_input_as_nodes(tmp_path: Path, form: str) -> None:
    out = make_harvest(tmp_path / "out", LINKS.empty_table(), [3, 1, 2])
    to = tmp_path / "links"
    assert export(out, form, to) == 0
    match form:
        case "graphml":
            assert set(nx.read_graphml(to).nodes) == {"pubmed:1", "pubmed:2", "pubmed:3"}
        case "adjacency":
            assert to.read_text() == "pubmed:1\npubmed:2\npubmed:3\n"
        case "edgelist":
            assert to.read_text() == ""
            assert _names(tmp_path / "links.nodes.tsv") == ["pubmed:1", "pubmed:2", "pubmed:3"]
        case "npz":
            to.rename(to.with_suffix(".npz"))
            matrix = scipy.sparse.load_npz(to.with_suffix(".npz"))
            assert (matrix.shape, matrix.nnz) == ((3, 3), 0)
        case "neo4j":
            assert (to / "nodes-pubmed.csv").read_text() == "1,pubmed\n2,pubmed\n3,pubmed\n"
        case "kgx":
            assert len((to / "links_nodes.tsv").read_text().splitlines()) == 4
            assert len((to / "links_edges.tsv").read_text().splitlines()) == 1
        case "ntriples":
            assert to.read_text() == ""


@pytest.mark.parametrize("form", FORMATS)
def test_a_harvest_without_input_makes_an_empty_graph(tmp_path: Path, form: str) -> None:
    out = make_harvest(tmp_path / "out", LINKS.empty_table(), [], commits=0)
    assert export(out, form, tmp_path / "links") == 0
    assert (tmp_path / "links").exists()


def test_accessions_are_nodes(tmp_path: Path) -> None:
    rows = [
        {"dbfrom": "protein", "from_uid": a, "dbto": "nuccore", "linkname": "protein_nuccore",
         "to_uid": b, "score": None, "rank": rank}
        for a, b, rank in [
            ("NP_1.1", "NM_1.1", 0), ("NP_1.1", "NM_2.1", 1), ("NP_2.1", "NM_1.1", 0),
        ]
    ]  # fmt: skip
    text = pa.string()
    schema = LINKS.set(1, pa.field("from_uid", text)).set(4, pa.field("to_uid", text))
    links = pa.Table.from_pylist(rows, schema)
    uids = ["NP_1.1", "NP_2.1", "NP_3.1"]
    out = make_harvest(tmp_path / "out", links, uids, dbfrom="protein", idtype="acc")
    for form in FORMATS:
        export(out, form, tmp_path / f"out.{form}")
    graph = nx.read_graphml(tmp_path / "out.graphml", force_multigraph=True)
    assert Counter((a, b, d["linkname"]) for a, b, d in graph.edges(data=True)) == edges_of(links)
    assert set(graph.nodes) == nodes_of(links, uids, "protein")
    with np.load(tmp_path / "out.npz") as arrays:
        assert sorted(arrays["node_uid"].tolist()) == ["NM_1.1", "NM_2.1", *uids]
        assert len(arrays["indices"]) == 3
    lines = (tmp_path / "out.ntriples").read_text().splitlines()
    assert "<https://identifiers.org/ncbiprotein:NP_2.1>" in lines[2]
    assert "--id-type=string" in (tmp_path / "out.neo4j" / "import.sh").read_text()
    assert "ncbiprotein:NP_3.1\t" in (tmp_path / "out.kgx" / "out.kgx_nodes.tsv").read_text()
