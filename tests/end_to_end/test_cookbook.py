"""Each task of docs/cookbook.md is run as printed, and its result is compared with the truth."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import networkx as nx
import numpy as np
import pyarrow.parquet as pq
import pytest
from support.cookbook import ROOT, opening, run_task, tasks
from support.harness import (
    LINKS,
    assert_exact,
    assert_same,
    expected_links,
    harvester,
    rows,
    running,
    wait_until,
    write_uids,
)
from support.scenarios import Scenario

from harvester.emulator import SeededGraph
from harvester.emulator.databases import SEQUENCES
from harvester.emulator.request import UtilityRequest
from harvester.emulator.utilities.ids import accession, group
from harvester.emulator.utilities.linkout import addresses
from harvester.emulator.utilities.selections import selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa
    from support.servers import Servers

    from harvester.emulator import Emulator, Graph

PMIDS = [*range(30_000_001, 30_000_060), 12_345_678, 23_456_789, 34_567_890]
GENES = [7157, 672, 675, 1956, 3845]
PROTEINS = ["P04637.1", *(accession("protein", uid) for uid in (120_407_068, 4_507_637, 6_226))]
PROJECTS = [28_889, 33_823]
SNPS = [*range(328, 400), 7412]


class Library(SeededGraph):
    """The seeded graph with so few records that any query is harvested quickly."""

    def records(self, db: str) -> Sequence[int]:
        """Return the first records of each database."""
        return range(40 if db == "gene" else 2000, 0, -1)


def _lists(folder: Path) -> None:
    """Write the input files that the tasks mention."""
    write_uids(folder / "pmids.txt", PMIDS)
    (folder / "pmids.txt.gz").write_bytes(gzip.compress((folder / "pmids.txt").read_bytes()))
    (folder / "papers.csv").write_text(
        "Title,PMID\n" + "".join(f'"A title, and more",{uid}\n' for uid in PMIDS)
    )
    write_uids(folder / "genes.txt", GENES)
    write_uids(folder / "bioprojects.txt", PROJECTS)
    (folder / "snps.txt").write_text("".join(f"rs{uid}\n" for uid in SNPS))
    (folder / "accessions.txt").write_text("\n".join(PROTEINS))


def run_and_check(servers: Servers, folder: Path, title: str) -> None:
    """Run a task of the cookbook and check its result."""
    (task,) = (task for task in tasks() if task.title == title)
    graph = Library(3) if title in SMALL else SeededGraph(3)
    server = servers.start(graph=graph, llinkslib=True)
    _lists(folder)
    if title in BEFORE:
        server = BEFORE[title](servers, server, folder)
    run_task(task, folder, server.base_url, servers.shell.programs())
    CHECKS[title](server, folder)


# --- what should be there ---------------------------------------------------------------------


def _found(graph: Graph, term: str, db: str) -> Sequence[int]:
    """Return what a query selects, computed from the graph."""
    asked = UtilityRequest.read("esearch", f"term={quote_plus(term)}", b"", "127.0.0.1")
    return selection(asked).of(graph.records(db))


def _linked(
    out: str,
    dbfrom: str,
    uids: Iterable[int],
    db: str | None,
    *linknames: str,
    scores: bool = False,
) -> Callable[[Emulator, Path], None]:
    """Check that a folder holds exactly the links of some UIDs."""
    uids = list(uids)

    def check(server: Emulator, folder: Path) -> None:
        dbs = None if db is None else [db]
        truth = expected_links(server.graph, dbfrom, uids, dbs, linknames or None, scores=scores)
        assert truth.num_rows > 0
        assert_same(rows(folder / out, "links"), truth)

    return check


def _all(*checks: Callable[[Emulator, Path], None]) -> Callable[[Emulator, Path], None]:
    def check(server: Emulator, folder: Path) -> None:
        for one in checks:
            one(server, folder)

    return check


def _targets(links: pa.Table) -> list[int]:
    found: list[int] = sorted(set(links["to_uid"].to_pylist()))
    return found


def _records(folder: Path) -> list[int]:
    """Return the UIDs of the fetched records; check that each text is of its own UID."""
    table = pq.read_table(folder / "records")
    for uid, record in zip(*(table[name].to_pylist() for name in ("uid", "record")), strict=True):
        assert str(uid) in record
    return sorted(table["uid"].to_pylist())


def _table(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / "links").to_pylist()
    return found


# --- and is -----------------------------------------------------------------------------------


def _names(server: Emulator, folder: Path) -> None:
    said = [line.split("\t")[:2] for line in (folder / "said").read_text().splitlines()]
    listed = [f for f in server.graph.families("gene", ["protein"]) if f.listed]
    proteins = [row for row in said if row[0].startswith("gene_") and row[1] == "protein"]
    assert proteins == [[family.linkname, "protein"] for family in listed]
    assert ["pubmed_pmc", "pmc"] in said


def _picture(server: Emulator, folder: Path) -> None:
    drawn = (folder / "links.svg").read_text()
    for family in server.graph.families("gene"):
        assert family.linkname in drawn


def _counts(server: Emulator, folder: Path) -> None:
    counts = dict(line.split("\t")[:2] for line in (folder / "said").read_text().splitlines())
    for db in ("pubmed", "gene", "protein"):
        assert int(counts[db]) == len(_found(server.graph, "TP53 AND cancer", db)) > 0


def _kinds(server: Emulator, folder: Path) -> None:
    found = {(row["from_uid"], row["linkname"]) for row in _table(folder / "kinds")}
    links = expected_links(server.graph, "pubmed", PMIDS)
    names = (links["from_uid"].to_pylist(), links["linkname"].to_pylist())
    expected = set(zip(*names, strict=True))
    expected |= {(uid, "ExternalLink") for uid in PMIDS if addresses("pubmed", uid)}
    assert found == expected


def _marks(server: Emulator, folder: Path) -> None:
    linkout = {row["from_uid"]: row["has_linkout"] for row in _table(folder / "with-linkout")}
    assert linkout == {uid: bool(addresses("pubmed", uid)) for uid in PMIDS}
    related = {row["from_uid"]: row["has_neighbor"] for row in _table(folder / "with-neighbors")}
    linked = set(expected_links(server.graph, "pubmed", PMIDS, ["pubmed"])["from_uid"].to_pylist())
    assert related == {uid: uid in linked for uid in PMIDS}


def _without(server: Emulator, folder: Path) -> None:
    linked = expected_links(server.graph, "pubmed", PMIDS, ["pmc"], ["pubmed_pmc"])["from_uid"]
    without = len(PMIDS) - len(set(linked.to_pylist()))
    assert (folder / "said").read_text().startswith(f"{without} of {len(PMIDS)} have none")


def _second(server: Emulator, folder: Path) -> None:
    first = expected_links(server.graph, "pubmed", PMIDS, ["pubmed"], ["pubmed_pubmed_citedin"])
    _linked("citing-2", "pubmed", _targets(first), "pubmed", "pubmed_pubmed_citedin")(
        server, folder
    )


def _best(server: Emulator, folder: Path) -> None:
    links = expected_links(
        server.graph, "pubmed", PMIDS, ["pubmed"], ["pubmed_pubmed"], scores=True
    )
    expected = {
        (row["from_uid"], row["to_uid"]) for row in links.to_pylist() if 1 <= row["rank"] <= 5
    }
    best = pq.read_table(folder / "best.parquet").to_pylist()
    assert {(row["from_uid"], row["to_uid"]) for row in best} == expected
    assert len(best) == 5 * len(PMIDS)


def _filtered(out: str, term: str) -> Callable[[Emulator, Path], None]:
    def check(server: Emulator, folder: Path) -> None:
        links = expected_links(server.graph, "pubmed", PMIDS, ["pubmed"], ["pubmed_pubmed"])
        asked = UtilityRequest.read("elink", f"term={quote_plus(term)}", b"", "127.0.0.1")
        kept = links.filter(selection(asked).among(links["to_uid"].to_numpy().astype(np.int64)))
        columns = ["from_uid", "to_uid"]
        assert kept.num_rows > 0
        assert_same(rows(folder / out, "links").select(columns), kept.select(columns))

    return check


def _addresses(server: Emulator, folder: Path) -> None:
    del server
    for out, db, uids, libraries in (
        ("addresses", "pubmed", PMIDS, False),
        ("library-addresses", "pubmed", PMIDS, True),
        ("gene-addresses", "gene", GENES, False),
    ):
        found = sorted((row["from_uid"], row["url"]) for row in _table(folder / out))
        expected = [(u, one.url) for u in uids for one in addresses(db, u, libraries=libraries)]
        assert found == sorted(expected)
    publishers = sorted(row["from_uid"] for row in _table(folder / "publishers"))
    assert publishers == sorted(uid for uid in PMIDS if addresses("pubmed", uid))


def _topic(server: Emulator, folder: Path) -> None:
    uids = _found(server.graph, "TP53 cancer", "pubmed")
    _linked("topic-genes", "pubmed", uids, "gene")(server, folder)
    links = expected_links(server.graph, "pubmed", uids, ["gene"])
    assert _records(folder / "topic-genes/records/gene-summary") == _targets(links)


def _texts(server: Emulator, folder: Path) -> None:
    expected = sorted(_found(server.graph, "TP53 cancer", "pubmed"))
    assert len(expected) > 100
    assert _records(folder / "found/records/pubmed-summary") == expected
    fetched = pq.read_table(folder / "found/records/pubmed-medline-text/records").to_pylist()
    text = "".join(row["text"] for row in fetched)
    assert (
        sorted(int(line[6:]) for line in text.splitlines() if line.startswith("PMID")) == expected
    )


def _picked(server: Emulator, folder: Path) -> None:
    found = _found(server.graph, "TP53 cancer", "pubmed")
    picked = [uid for uid in PMIDS if uid in found]
    assert 0 < len(picked) < len(PMIDS)
    _linked("picked", "pubmed", picked, "pmc", "pubmed_pmc")(server, folder)
    assert _records(folder / "picked/records/pubmed-summary") == sorted(picked)


def _proteins(server: Emulator, folder: Path) -> None:
    links = expected_links(server.graph, "gene", GENES, ["protein"])
    assert _records(folder / "gene-proteins/records/protein-summary") == _targets(links)


def _human(server: Emulator, folder: Path) -> None:
    proteins = expected_links(server.graph, "gene", GENES, ["protein"])
    human = [
        uid
        for uid in _targets(proteins)
        if uid in _found(server.graph, "txid9606[ORGN]", "protein")
    ]
    assert human
    assert _records(folder / "human-structures/records/protein-summary") == human
    _linked("human-structures", "protein", human, "structure")(server, folder)


def _accessions(server: Emulator, folder: Path) -> None:
    uids = dict(zip(group("protein", PROTEINS).uids, PROTEINS, strict=True))
    for out, db in (("coding", "nuccore"), ("protein-structures", "structure")):
        truth = expected_links(server.graph, "protein", uids, [db]).to_pylist()
        expected = set()
        for row in truth:
            uid = row["to_uid"]
            target = accession(db, uid) if db in SEQUENCES else str(uid)
            expected.add((uids[row["from_uid"]], target))
        assert expected
        assert {(row["from_uid"], row["to_uid"]) for row in _table(folder / out)} == expected


def _chain(
    out: str, uids: Callable[[Graph], Iterable[int]], *dbs: str
) -> Callable[[Emulator, Path], None]:
    """Check a chain of harvests: each hop follows the plain linkname of its databases."""

    def check(server: Emulator, folder: Path) -> None:
        inputs = sorted(uids(server.graph))
        for number, (dbfrom, db) in enumerate(itertools.pairwise(dbs), 1):
            linkname = f"{dbfrom}_{db}"
            _linked(f"{out}/hop-{number}", dbfrom, inputs, db, linkname)(server, folder)
            links = expected_links(server.graph, dbfrom, inputs, [db], [linkname])
            inputs = _targets(links)

    return check


def _structures(server: Emulator, folder: Path) -> None:
    links = rows(folder / "structures/hop-2", "links")
    records = _records(folder / "structures/hop-2/records/structure-summary")
    assert records == _targets(links)


def _corpus(server: Emulator, folder: Path) -> None:
    uids = _found(server.graph, "CRISPR AND 2023[pdat]", "pubmed")
    assert len(uids) > 10_000
    _linked("crispr-2023", "pubmed", uids, "pubmed", "pubmed_pubmed_refs")(server, folder)


def _set_alone(server: Emulator, folder: Path) -> None:
    truth = expected_links(server.graph, "pubmed", PMIDS, ["gene"], ["pubmed_gene"])
    found = pq.read_table(folder / "all-genes/links")
    assert found.column_names == ["dbfrom", "dbto", "linkname", "to_uid"]
    assert sorted(found["to_uid"].to_pylist()) == _targets(truth)


def _piped(server: Emulator, folder: Path) -> None:
    lines = (folder / "links.jsonl").read_text().splitlines()
    found = LINKS.empty_table().from_pylist([json.loads(line) for line in lines], LINKS)
    assert_same(found, expected_links(server.graph, "pubmed", PMIDS, ["gene"], ["pubmed_gene"]))


def _shares(server: Emulator, folder: Path) -> None:
    wait_until(lambda: all((folder / f"part-{n}/uids").is_dir() for n in (1, 2)), "both parts")
    tables = [rows(folder / f"part-{n}", "uids") for n in (1, 2)]
    assert sorted(uid for t in tables for uid in t["from_uid"].to_pylist()) == sorted(PMIDS)
    assert abs(tables[0].num_rows - tables[1].num_rows) <= 1
    truth = expected_links(server.graph, "pubmed", PMIDS, ["pmc"], ["pubmed_pmc"])
    assert_exact(folder / "all-links", "pubmed", PMIDS, truth)


def _once_more(server: Emulator, folder: Path) -> None:
    truth = expected_links(server.graph, "pubmed", PMIDS, ["pmc"], ["pubmed_pmc"])
    assert_exact(folder / "pmc-links", "pubmed", PMIDS, truth)


def _again(server: Emulator, folder: Path) -> None:
    _linked("with-answers", "pubmed", PMIDS, "gene")(server, folder)
    assert any((folder / "with-answers/raw").iterdir())


def _snowball(server: Emulator, folder: Path) -> None:
    said, asked, new = (folder / "said").read_text(), set[int](), set(PMIDS)
    for number in (1, 2):
        truth = expected_links(server.graph, "pubmed", new, ["pubmed"], ["pubmed_pubmed_refs"])
        count, links = f"{len(new):,}", f"{truth.num_rows:,}"
        assert f"round {number}   {count} of {count} UIDs, {links} links\n" in f"{said}\n"
        asked |= new
        new = set(truth["to_uid"].to_pylist()) - asked


def _refreshed(server: Emulator, folder: Path) -> None:
    truth = expected_links(server.graph, "pubmed", PMIDS, ["pmc"])
    assert_exact(folder / "pmc-current", "pubmed", PMIDS, truth)
    elink = [entry for entry in server.log if entry.utility == "elink"]
    assert sum(entry.ids for entry in elink) == 2 * len(PMIDS)


def _compared(server: Emulator, folder: Path) -> None:
    truth = expected_links(server.graph, "pubmed", PMIDS, ["pmc"])
    for name in ("pmc-2025", "pmc-2026"):
        assert_exact(folder / name, "pubmed", PMIDS, truth)
    for name in ("added", "removed"):
        assert pq.read_table(folder / "changes" / name).num_rows == 0
    last = (folder / "said").read_text().splitlines()[-1].replace(",", "")
    assert last.split() == ["all", "links", "0", "0", str(truth.num_rows)]


def _verified(server: Emulator, folder: Path) -> None:
    del server
    said = (folder / "said").read_text()
    assert "all as they were committed" in said
    assert "0 are gone, 0 are new" in said


def _estimated(server: Emulator, folder: Path) -> None:
    _linked("snps", "gene", GENES, "snp", "gene_snp")(server, folder)
    assert "unseen" in (folder / "said").read_text()


_PMC = ("run", "--ids", "pmids.txt", "--dbfrom=pubmed", "--db=pmc", "--linkname=pubmed_pmc")


def _instead(servers: Servers, server: Emulator, **settings: Any) -> Emulator:
    """Start another server with the same links at the same address."""
    servers.stop(server)
    return servers.start(graph=server.graph, port=server.port, **settings)


def _killed(servers: Servers, server: Emulator, folder: Path) -> Emulator:
    """Kill a run after some answers are committed and before most UIDs are requested."""
    slow = _instead(servers, server, latency=(0.2,))
    job = (*_PMC, "--batch-size=5", "--concurrency=1", "-o", "pmc-links")
    env = {"HARVESTER_BASE_URL": slow.base_url}
    with running(*job, err=folder / "err", env=env, cwd=folder) as run:
        wait_until(lambda: len(slow.log) >= 3, "three questions asked")
        run.kill()
    return _instead(servers, slow)


def _failed(servers: Servers, server: Emulator, folder: Path) -> Emulator:
    """Run a harvest in which one UID fails."""
    faulty = _instead(servers, server, faults=(f"error-in-linkset@{PMIDS[0]}",))
    env = {"HARVESTER_BASE_URL": faulty.base_url}
    job = (*_PMC, "--max-attempts=1", "-o", "pmc-links")
    finished = harvester(*job, env=env, cwd=folder)
    assert finished.code == 3, finished.err
    assert (folder / "pmc-links/unanswered.txt").read_text() == f"{PMIDS[0]}\n"
    return _instead(servers, faulty)


def _most_related(server: Emulator, folder: Path) -> None:
    """The ranking equals a count over the truth; `top.json` has no other linkname."""
    inputs: dict[int, set[int]] = {}
    links = rows(folder / "related-all", "links").to_pylist()
    for row in links:
        if row["linkname"] == "pubmed_pubmed":
            inputs.setdefault(row["to_uid"], set()).add(row["from_uid"])
    ranked = sorted(((-len(froms), uid) for uid, froms in inputs.items()))[:50]
    told = json.loads((folder / "top.json").read_text())
    assert told == [{"db": "pubmed", "uid": uid, "inputs": -n} for n, uid in ranked]


def _around_one(server: Emulator, folder: Path) -> None:
    """All links of the article are there, and networkx reads the graph."""
    links = rows(folder / "related-all", "links").to_pylist()
    ends = [[(row["dbfrom"], row["from_uid"]), (row["dbto"], row["to_uid"])] for row in links]
    mine = [pair for pair in ends if ("pubmed", PMIDS[0]) in pair]
    lines = [line.split("\t") for line in (folder / "links.tsv").read_text().splitlines()]
    assert mine
    assert sorted([(a, int(b)), (c, int(d))] for _, a, b, _, c, d, _ in lines) == sorted(mine)
    graph = nx.read_graphml(folder / "around.graphml")
    assert {f"{db}:{uid}" for pair in mine for db, uid in pair} <= set(graph.nodes)


def _handed_over(server: Emulator, folder: Path) -> None:
    """The data set is checked by its manifest alone."""
    assert not (folder / "handed-over/state.sqlite").exists()
    said = (folder / "said").read_text()
    assert ": all as they were committed\n" in said
    assert said.endswith("compared with manifest.json alone. Not handed over: job.toml.\n")


BEFORE = {"After a crash": _killed, "Retry the UIDs that failed": _failed}

SMALL = (
    "The genes of all articles on a topic",
    "The titles and abstracts of a list, or of a query",
    "From a query over genes and proteins to structures, in one job",
)
"""Tasks with queries that would find too many records."""

TP53 = "TP53[sym] AND human[orgn]"


def _gene_pairs(server: Emulator) -> set[tuple[int, int]]:
    links = expected_links(server.graph, "pubmed", PMIDS, ["gene"], ["pubmed_gene"])
    found = {(row["from_uid"], row["to_uid"]) for row in links.to_pylist()}
    assert found
    return found


def _papers(server: Emulator, folder: Path) -> None:
    genes = Counter(article for article, _ in _gene_pairs(server))
    with (folder / "papers-with-genes.csv").open(newline="") as stream:
        found = {int(row["PMID"]): float(row["genes"]) for row in csv.DictReader(stream)}
    assert found == {uid: genes[uid] for uid in PMIDS}


def _citations(server: Emulator, folder: Path) -> None:
    links = expected_links(server.graph, "pubmed", PMIDS, ["pubmed"], ["pubmed_pubmed_citedin"])
    pairs = {(row["to_uid"], row["from_uid"]) for row in links.to_pylist()}
    cited = Counter(one for _, one in pairs)
    nodes, edges, best, degree = map(int, (folder / "said").read_text().split())
    assert (nodes, edges) == (len({one for pair in pairs for one in pair}), len(pairs))
    assert cited[best] == degree == max(cited.values())


def _bipartite(server: Emulator, folder: Path) -> None:
    pairs = _gene_pairs(server)
    nodes, edges, bipartite, components = (folder / "said").read_text().split()
    assert int(nodes) == len({a for a, _ in pairs}) + len({b for _, b in pairs})
    assert (int(edges), bipartite) == (len(pairs), "True")
    assert 0 < int(components) <= len({a for a, _ in pairs})


def _edge_index(server: Emulator, folder: Path) -> None:
    pairs = _gene_pairs(server)
    with np.load(folder / "edges.npz") as found:
        index, articles, genes = found["edge_index"], found["articles"], found["genes"]
    assert (index.shape, index.dtype) == ((2, len(pairs)), np.int64)
    assert set(zip(articles[index[0]].tolist(), genes[index[1]].tolist(), strict=True)) == pairs


CHECKS: dict[str, Callable[[Emulator, Path], None]] = {
    "Which links does a database have?": _names,
    "A picture of all links between all databases": _picture,
    "How many records match a query, in each database?": _counts,
    "Which kinds of links do my records have?": _kinds,
    "Which records have related records, and which have LinkOut addresses?": _marks,
    "Which of my articles have their full text in PubMed Central?": _all(
        _linked("pmc-links", "pubmed", PMIDS, "pmc", "pubmed_pmc"), _without
    ),
    "Who cites these articles?": _linked(
        "citing", "pubmed", PMIDS, "pubmed", "pubmed_pubmed_citedin"
    ),
    "Who cites those that cite mine?": _second,
    "Citation snowballing": _snowball,
    "The five most related articles of each, with scores": _all(
        _linked("related", "pubmed", PMIDS, "pubmed", "pubmed_pubmed", scores=True), _best
    ),
    "Which articles are related to most of mine?": _most_related,
    "What is linked with one article?": _around_one,
    "Related articles of some years": _filtered("related-2020s", "2020:2024[pdat]"),
    "Which related articles are reviews?": _filtered("related-reviews", "review[ptyp]"),
    "Which genes are my articles about?": _linked(
        "genes", "pubmed", PMIDS, "gene", "pubmed_gene", "pubmed_gene_rif"
    ),
    "The articles of a table's column": _linked("paper-genes", "pubmed", PMIDS, "gene"),
    "Where on the web are these articles?": _addresses,
    "The genes of all articles on a topic": _topic,
    "The titles and abstracts of a list, or of a query": _texts,
    "Those of my articles that match a query": _picked,
    "The articles of each gene": _linked("gene-articles", "gene", GENES, "pubmed", "gene_pubmed"),
    "The proteins of each gene, and what they are": _all(
        _linked("gene-proteins", "gene", GENES, "protein", "gene_protein"), _proteins
    ),
    "Only the human proteins of these genes": _human,
    "Structures of proteins, by accession": _accessions,
    "From a query over genes and proteins to structures, in one job": _all(
        _chain("structures", lambda g: _found(g, TP53, "gene"), "gene", "protein", "structure"),
        _structures,
    ),
    "From projects to sequencing runs": _chain(
        "runs", lambda _: PROJECTS, "bioproject", "biosample", "sra"
    ),
    "Which SNPs are in ClinVar, and in which genes?": _all(
        _linked("variants", "snp", SNPS, "clinvar"), _linked("variant-genes", "snp", SNPS, "gene")
    ),
    "Links as a table of pandas": _papers,
    "A citation graph in networkx": _citations,
    "Articles and genes as a graph in igraph": _bipartite,
    "An edge_index for PyTorch Geometric": _edge_index,
    "The whole literature of a topic and a year, past 10,000 records": _corpus,
    "Only what is linked to the whole list": _set_alone,
    "Into a pipe": _piped,
    "After a crash": _once_more,
    "As two jobs of an array": _shares,
    "Retry the UIDs that failed": _once_more,
    "Overnight, within NCBI's hours": _linked(
        "related", "pubmed", PMIDS, "pubmed", "pubmed_pubmed", scores=True
    ),
    "When completeness matters": _estimated,
    "Keep NCBI's responses": _again,
    "Has anything changed at NCBI?": _verified,
    "Give a harvest to others": _handed_over,
    "What has changed between two harvests?": _compared,
    "Keep a folder current": _refreshed,
}


@pytest.mark.parametrize(
    "scenario", [Scenario(run_and_check, task.title) for task in tasks()], ids=str
)
def test_a_task_of_the_cookbook_gives_the_truth(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Every block succeeds, and the result equals the server's links."""
    run_scenario(scenario)


def test_every_task_is_looked_at() -> None:
    assert [task.title for task in tasks()] == list(CHECKS)


def test_no_block_goes_unrun() -> None:
    found = sum(len(task.blocks) for task in tasks()) + len(opening())
    assert found == (ROOT / "docs/cookbook.md").read_text().count("\n```") / 2


def test_job_files_in_the_cookbook_equal_the_files() -> None:
    """A block that shows a job file equals that file."""
    files = [block for task in tasks() for block in task.blocks if block.language == "toml"]
    assert len(files) >= 4
    for block in files:
        assert block.text == (ROOT / block.name).read_text()
        assert any(
            block.name in other.text
            for task in tasks()
            for other in task.blocks
            if other is not block
        )


def test_job_files_of_queries_and_chains_are_in_the_cookbook() -> None:
    """Job files that no other test runs are in the cookbook."""
    named = {block.name for task in tasks() for block in task.blocks}
    for path in (ROOT / "configs").glob("*.toml"):
        job = tomllib.loads(path.read_text())
        assert f"configs/{path.name}" in named or ("ids" in job["source"] and "hop" not in job)
