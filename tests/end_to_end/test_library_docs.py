"""The Python code in docs/library.md and in docstrings runs and gives the true links."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from Bio import Entrez
from support.harness import rows, write_uids
from support.snippets import blocks_of, examples_of, run

import harvester
from harvester import Eutils, Job
from harvester.api.sync_eutils import SyncEutils
from harvester.emulator import truth
from harvester.emulator.utilities.linkout import addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.servers import Servers

    from harvester.emulator import Emulator, Graph

DOCUMENT = Path(__file__).parents[2] / "docs" / "library.md"
PMIDS = [12345678, 23456789, 34567890]


@pytest.fixture
def server(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """A fast emulator in place of NCBI, from an empty folder."""
    server = servers.start(seed=4)  # in its graph all of PMIDS have genes
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARVESTER_BASE_URL", server.base_url)
    monkeypatch.setenv("NCBI_EMAIL", "test@example.org")
    monkeypatch.delenv("NCBI_API_KEY", raising=False)
    monkeypatch.setattr("harvester.job.ncbi.RATE_WITHOUT_KEY", 300.0)
    return server


def links(
    graph: Graph, dbfrom: str, uids: Sequence[int], db: str, linkname: str | None = None
) -> dict[int, list[int]]:
    """Return UID → linked records, each once, from the graph."""
    table = truth(graph, dbfrom, uids, {db}, {linkname} if linkname else None)
    found: dict[int, dict[int, None]] = {uid: {} for uid in uids}
    for row in table.to_pylist():
        found[row["from_uid"]][row["to_uid"]] = None
    return {uid: list(targets) for uid, targets in found.items()}


async def test_the_document_tells_the_truth(server: Emulator, tmp_path: Path) -> None:
    write_uids(tmp_path / "pmids.txt", PMIDS)
    names: dict[str, Any] = {}
    for block in blocks_of(DOCUMENT):
        await run(block, names)
    graph = server.graph

    # one by one
    assert all(links(graph, "pubmed", PMIDS, "gene", "pubmed_gene").values())
    two = links(graph, "pubmed", PMIDS[:2], "gene", "pubmed_gene")
    assert names["linked"].by_uid("pubmed_gene") == two
    assert names["linked"].unanswered == {}
    assert names["genes"].by_uid() == links(graph, "pubmed", PMIDS[:1], "gene")
    assert names["articles"].by_uid() == links(graph, "gene", [7157], "pubmed")

    # NCBI's own examples
    assert names["one"] == two[PMIDS[0]]
    assert names["many"] == links(graph, "pubmed", PMIDS, "gene")
    scored = truth(graph, "pubmed", PMIDS[:1], {"pubmed"}, {"pubmed_pubmed"}, scores=True)
    others = [(r["score"], r["to_uid"]) for r in scored.to_pylist() if r["to_uid"] != PMIDS[0]]
    assert others
    best = sorted((score for score, _ in others), reverse=True)[:20]
    assert [one["score"] for one in names["related"]] == best
    assert {(one["score"], one["pmid"]) for one in names["related"]} <= set(others)

    # pipelines
    searched = list(range(1000, 1021))
    assert names["to_genes"].by_uid() == links(graph, "pubmed", searched, "gene")
    assert all(f"PMID- {pmid}\n" in names["medline"] for pmid in searched)
    assert sorted(names["summaries"]) == [672, 675]
    assert all(one["uid"] == str(uid) for uid, one in names["summaries"].items())
    proteins = links(graph, "gene", [7157], "protein", "gene_protein")[7157]
    assert proteins
    assert sorted(names["proteins"]) == sorted(proteins)
    assert names["structures"] == links(
        graph, "protein", sorted(proteins), "structure", "protein_structure"
    )
    assert sorted(names["pmids"]) == list(range(1, 12001))
    families = [one.linkname for one in graph.links("pubmed", PMIDS[0])]
    outside = addresses("pubmed", PMIDS[0])
    assert names["checked"].links()["linkname"].to_pylist() == (
        families + ["ExternalLink"] * bool(outside)
    )
    assert names["outside"].links()["url"].to_pylist() == [one.url for one in outside[:1]]
    for kept in names["sets"].links().to_pylist():
        posted = server.history.fetch(kept["webenv"], kept["query_key"])
        assert posted is not None
        expected = links(graph, "pubmed", PMIDS[:1], "gene", kept["linkname"])
        assert list(posted[1]) == expected[PMIDS[0]]
    assert names["sets"].links().num_rows == sum(
        one.dbto == "gene" for one in graph.links("pubmed", PMIDS[0])
    )

    # by the million
    expected_rows = truth(graph, "pubmed", PMIDS, {"gene"}).num_rows
    assert names["result"].link_count == names["links"] == expected_rows
    assert rows(tmp_path / "pubmed-gene", "links").num_rows == expected_rows
    linked = {uid for uids in names["many"].values() for uid in uids}
    assert names["got"]["gene"].outcomes["linked"] == len(linked)


def test_the_original_gives_all_links_to_the_first(
    server: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the document says of NCBI's batch example, where ids travel as a comma list."""
    build: Any = Entrez._build_request
    monkeypatch.setattr(Entrez, "email", "test@example.org")
    monkeypatch.setattr(
        Entrez,
        "_build_request",
        lambda cgi, *args, **more: build(server.base_url + cgi.rpartition("/")[2], *args, **more),
    )
    entrez: Any = Entrez  # typed in part
    handle = entrez.elink(dbfrom="pubmed", db="gene", id=",".join(map(str, PMIDS)))
    filed = {}
    for linkset in entrez.read(handle):
        found = [link["Id"] for db in linkset["LinkSetDb"] for link in db["Link"]]
        filed[int(linkset["IdList"][0])] = {int(uid) for uid in found}
    expected = links(server.graph, "pubmed", PMIDS, "gene")
    assert filed == {PMIDS[0]: {uid for uids in expected.values() for uid in uids}}
    assert all(expected.values())


METHODS = ["elink", "esearch", "search_all", "egquery", "espell", "epost", "esummary", "efetch"]


@pytest.mark.parametrize("name", [*METHODS, "einfo", "ecitmatch"])
async def test_examples_of_each_utility(server: Emulator, name: str) -> None:
    (example,) = examples_of(getattr(Eutils, name))
    async with Eutils() as e:
        names: dict[str, Any] = {"e": e}
        await run(example, names)
        assert len(server.log), "no request was sent"


async def test_examples_of_the_doors(server: Emulator, tmp_path: Path) -> None:
    write_uids(tmp_path / "pmids.txt", PMIDS)
    write_uids(tmp_path / "ids", PMIDS)
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "gene"},
            "source": {"ids": "ids"},
            "output": {"path": "elsewhere"},
        }
    )
    documented = [harvester, harvester.harvest, harvester.stream, harvester.records, Eutils, Job]
    documented += [Eutils.sync, SyncEutils, harvester.read]
    for thing in documented:
        names: dict[str, Any] = {name: getattr(harvester, name) for name in dir(harvester)}
        names |= {"harvester": harvester, "job": job}
        found = examples_of(thing)
        assert found or thing is Job, thing
        for example in found:
            code = example.replace("harvester.run(job)", "")  # has a loop of its own
            await run(code, names)
    assert (tmp_path / "out" / "job.toml").exists()
