"""`Eutils`: each utility agrees with the graph, under faults and within the rate limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.harness import LINKS, assert_same
from support.malicious_server import Request, response

from harvester import Citation, Eutils
from harvester.emulator import truth
from harvester.errors import BadInput, HarvestError, Refused
from harvester.eutils.epost import Posted

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import Servers

UIDS = list(range(5000, 5120))

FAULTS = [
    "short", "doubled", "reordered", "alien", "no-ids", "id-0", "error-in-linkset",
    "exception-in-linksetdb", "500", "html-200", "cut", "cut-reset",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses before retries."""
    monkeypatch.setattr("harvester.client.backoff.BACKOFF_SECONDS", 0.01)


@pytest.mark.parametrize("fault", FAULTS)
async def test_links_are_whole_and_nobody_elses(servers: Servers, fault: str) -> None:
    server = servers.start(seed=3, faults=(f"{fault}*2",))
    async with Eutils(base_url=server.base_url, rate=300) as e:
        linked = await e.elink("pubmed", UIDS, db=["pmc", "gene"])
    assert any(entry.fault for entry in server.log), "nothing happened"
    expected = truth(server.graph, "pubmed", UIDS, {"pmc", "gene"})
    assert_same(linked.links().cast(LINKS), expected)
    assert linked.uids()["from_uid"].to_pylist() == UIDS
    assert linked.unanswered == {}
    found: dict[int, set[int]] = {uid: set() for uid in UIDS}
    for row in expected.to_pylist():
        found[row["from_uid"]].add(row["to_uid"])
    assert {uid: set(to) for uid, to in linked.by_uid().items()} == found


async def test_a_bad_uid_is_named_and_the_others_answered(servers: Servers) -> None:
    server = servers.start(seed=3, faults=("poison@5007",))
    async with Eutils(base_url=server.base_url, rate=300) as e:
        linked = await e.elink("pubmed", range(5000, 5020), db="pmc")
    (bad,) = linked.unanswered.items()
    assert bad[0] == 5007
    assert bad[1]
    assert 5007 not in linked.by_uid()
    rest = [uid for uid in range(5000, 5020) if uid != 5007]
    assert sorted(linked.by_uid()) == rest
    assert_same(linked.links().cast(LINKS), truth(server.graph, "pubmed", rest, {"pmc"}))


async def test_a_set_is_read_and_asked_by_id(servers: Servers) -> None:
    server = servers.start(seed=3)
    async with Eutils(base_url=server.base_url, rate=300) as e:
        posted = await e.epost("gene", UIDS)
        linked = await e.elink("gene", posted, db="protein")
        history = await e.elink("gene", posted, db="protein", cmd="neighbor_history")
        (kept,) = (
            history.links()
            .filter(pa.compute.equal(history.links()["linkname"].cast(pa.string()), "gene_protein"))
            .to_pylist()
        )
        proteins = await e.efetch("protein", Posted(kept["webenv"], kept["query_key"]), "uilist")
    expected = truth(server.graph, "gene", UIDS, {"protein"})
    assert_same(linked.links().cast(LINKS), expected)
    assert kept["from_uids"] == UIDS
    to_uids = truth(server.graph, "gene", UIDS, {"protein"}, {"gene_protein"})["to_uid"]
    assert set(map(int, proteins.split())) == set(to_uids.to_pylist())
    elinks = [entry for entry in server.log if entry.utility == "elink"]
    assert [entry.parameters for entry in elinks] == [len(UIDS), 1]


async def test_what_is_ignored_is_told(servers: Servers) -> None:
    async with Eutils(base_url=servers.start().base_url, rate=300) as e:
        linked = await e.elink("gene", 7157, db="protein", term="txid9606[ORGN]")
        unlisted = await e.elink("pubmed", 1, db="pubmed", linkname="pubmed_pubmed_citedin")
        plain = await e.elink("gene", 7157, db="protein")
    assert "ignores it" in linked.warnings[0]
    assert "pubmed_pubmed_citedin" in unlisted.warnings[0]
    assert plain.warnings == ()


async def test_targets_only(servers: Servers) -> None:
    server = servers.start(seed=3)
    async with Eutils(base_url=server.base_url, rate=300) as e:
        linked = await e.elink("gene", UIDS, db="protein", targets_only=True)
        with pytest.raises(BadInput, match="which UID"):
            linked.by_uid()
    expected = truth(server.graph, "gene", UIDS, {"protein"})
    rows = [(row["linkname"], row["to_uid"]) for row in linked.links().to_pylist()]
    assert len(rows) == len(set(rows))
    assert set(rows) == {(row["linkname"], row["to_uid"]) for row in expected.to_pylist()}


async def test_accessions_are_what_they_were(servers: Servers) -> None:
    server = servers.start(seed=3)
    async with Eutils(base_url=server.base_url, rate=300) as e:
        linked = await e.elink("protein", "NP_000000017.1", db="structure", idtype="acc")
        summaries = await e.esummary("protein", ["NP_000000017.1", 18])
    expected = truth(server.graph, "protein", [17], {"structure"})["to_uid"].to_pylist()
    assert expected
    assert linked.by_uid() == {"NP_000000017.1": list(dict.fromkeys(map(str, expected)))}
    assert [(uid, one["uid"]) for uid, one in summaries.items()] == [
        ("NP_000000017.1", "17"),
        (18, "18"),
    ]


async def test_citations_find_their_articles(servers: Servers) -> None:
    server = servers.start()
    async with Eutils(base_url=server.base_url, rate=300) as e:
        pmids = [uid * 1000 + 7 for uid in range(1, 151)]  # more than one request takes
        summaries = await e.esummary("pubmed", pmids)
        citations = [
            Citation(one["source"], one["pubdate"], one["volume"], one["pages"])
            for one in summaries.values()
        ]
        found = await e.ecitmatch([*citations, Citation("Nature"), Citation("example j", "", 2)])
    assert [match.pmid for match in found[:-2]] == pmids
    assert [(match.pmid, match.said) for match in found[-2:-1]] == [
        (None, "NOT_FOUND;INVALID_JOURNAL")
    ]
    assert found[-1].candidates == (20001, 20002)


async def test_all_utilities_share_one_rate_limit(servers: Servers) -> None:
    """The server counts requests as NCBI does and refuses those above the limit."""
    server = servers.start(rate=3, rate_with_key=10)
    async with Eutils(api_key="0123456789abcdef", base_url=server.base_url) as e:
        await asyncio.gather(
            *(e.elink("pubmed", uid, db="pmc") for uid in UIDS[:8]),
            *(e.esearch("pubmed", f"{uid}[UID]") for uid in UIDS[:8]),
        )
    assert len(server.log) == 16
    assert {entry.status for entry in server.log} == {200}
    assert len({entry.key for entry in server.log}) == 1
    assert all(entry.key for entry in server.log)


async def test_the_key_stays_out_of_errors(servers: Servers) -> None:
    key = "5ec0123456789abcdefret"

    def echo(request: Request) -> bytes | None:
        return response(f'{{"error": "no such thing, {key}"}}'.encode(), "200 OK")

    server = servers.malicious_server(servers.start(), echo)
    async with Eutils(api_key=key, base_url=server.base_url, rate=300) as e:
        assert key not in repr(e)
        with pytest.raises(HarvestError) as failed:
            await e.esearch("pubmed", "asthma")
    assert key not in repr(failed.value)
    assert failed.value.__suppress_context__


async def test_a_refusal_ends_it(servers: Servers) -> None:
    server = servers.start(api_keys=("good",))
    async with Eutils(api_key="bad", base_url=server.base_url, rate=300) as e:
        with pytest.raises(Refused, match="API key"):
            await e.elink("pubmed", 1)
        with pytest.raises(Refused, match="API key"):
            await e.esearch("pubmed", "asthma")


async def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harvester.api.links._PATIENCE_SECONDS", 0.0)
    async with Eutils(base_url="http://127.0.0.1:9/", rate=300) as e:  # no server there
        with pytest.raises(HarvestError, match=r"127\.0\.0\.1:9.*not answering"):
            await e.elink("pubmed", 1)


WRONG: list[tuple[str, Callable[[Any], Any]]] = [
    ("did you mean 'pubmed'", lambda e: e.elink("pubmde", 1)),
    ("did you mean 'neighbor'", lambda e: e.elink("pubmed", 1, cmd="nieghbor")),
    ("did you mean 'term'", lambda e: e.elink("pubmed", 1, trem="x")),
    ("'x' is not a UID", lambda e: e.elink("pubmed", [1, "x"])),
    ("None is not a UID", lambda e: e.elink("pubmed", None)),
    ("20,000 at most", lambda e: e.elink("pubmed", range(1, 20_002))),
    ("usehistory=True", lambda e: e.efetch("pubmed", Posted("", ""))),
    ("did you mean 'gene'", lambda e: e.esearch("genee", "x")),
    ("term is empty", lambda e: e.esearch("pubmed", " ")),
    ("did you mean 'sort'", lambda e: e.esearch("pubmed", "x", srot="date")),
    ("retmax should be", lambda e: e.esearch("pubmed", "x", retmax=-1)),
    ("ids is empty", lambda e: e.epost("pubmed", [])),
    ("is an accession", lambda e: e.epost("pubmed", "NM_000546.6")),
    ("10,000 at most", lambda e: e.esummary("pubmed", range(1, 10_002))),
    ("did you mean 'strand'", lambda e: e.efetch("nuccore", 1, strnad=1)),
    ("no database 'x y'", lambda e: e.einfo("x y")),
    ("list of harvester.Citation", lambda e: e.ecitmatch(["science"])),
]


@pytest.mark.parametrize(("said", "ask"), WRONG, ids=[said for said, _ in WRONG])
async def test_what_is_wrong_is_said_before_it_is_asked(
    servers: Servers, said: str, ask: Callable[[Any], Any]
) -> None:
    server = servers.start()
    async with Eutils(base_url=server.base_url, rate=300) as e:
        with pytest.raises(BadInput, match=said):
            await ask(e)
    assert {entry.utility for entry in server.log} <= {"einfo"}


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("give email=, or set the environment variable NCBI_EMAIL", {}),
        ("'me' is not an email address", {"email": "me"}),
        ("without spaces", {"email": "a@example.org", "tool": "my tool"}),
        ("3 requests per second without", {"email": "a@example.org", "rate": 10}),
        ("no API key has", {"email": "a@example.org", "api_key": "se cret"}),
        ("not an address", {"base_url": "eutils"}),
    ],
)
def test_wrong_arguments(
    said: str, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NCBI_EMAIL", "NCBI_API_KEY", "HARVESTER_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadInput, match=said) as refused:
        Eutils(**arguments)
    assert "--" not in str(refused.value)  # there are no options here


async def test_outside_of_with_nothing_is_connected() -> None:
    e = Eutils(email="a@example.org")
    with pytest.raises(BadInput, match="async with"):
        await e.einfo()


async def test_a_call_may_be_given_up(servers: Servers) -> None:
    server = servers.start(faults=("hang@5000",))
    async with Eutils(base_url=server.base_url, rate=300) as e:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await e.elink("pubmed", 5000)
        linked = await e.elink("pubmed", 5001, db="pmc")
    assert_same(linked.links().cast(LINKS), truth(server.graph, "pubmed", [5001], {"pmc"}))


async def test_no_uids_have_no_links(servers: Servers) -> None:
    async with Eutils(base_url=servers.start().base_url) as e:
        linked = await e.elink("pubmed", [])
        assert await e.esummary("pubmed", []) == {}
    assert (linked.links().num_rows, linked.uids().num_rows, linked.by_uid()) == (0, 0, {})
