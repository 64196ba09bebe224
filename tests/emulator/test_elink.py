"""ELink: ids, databases and linknames as at NCBI; answers equal to the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harvester.emulator import Emulator, EmulatorConfig, truth
from harvester.emulator.answers import errors

from .conftest import Client, rows_of_json, rows_of_xml

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

UIDS = [730439, 68536103, 1621261, 20807972, 9]
BY_ID = "&".join(f"id={uid}" for uid in UIDS)
AS_TEXT = sorted(map(str, UIDS))


@pytest.fixture
async def server() -> AsyncIterator[Emulator]:
    async with Emulator(EmulatorConfig(rate=None, seed=11)) as server:
        yield server


@pytest.fixture
def client(session: aiohttp.ClientSession, server: Emulator) -> Client:
    return Client(session, server)


def expected(server: Emulator, dbfrom: str, uids: list[int], *db: str) -> list[tuple[str, ...]]:
    """Return the expected rows, sorted."""
    table = truth(server.graph, dbfrom, uids, db or None)
    columns = ("from_uid", "dbto", "linkname", "to_uid")
    return sorted(tuple(str(row[name]) for name in columns) for row in table.to_pylist())


@pytest.mark.parametrize("db", ["pmc", "pubmed", "gene"])
async def test_by_id_equals_the_graph_in_both_formats(
    server: Emulator, client: Client, db: str
) -> None:
    answer = await client.json(f"dbfrom=pubmed&db={db}&{BY_ID}")
    xml = await client.xml(f"dbfrom=pubmed&db={db}&{BY_ID}")
    assert rows_of_json(answer) == rows_of_xml(xml)
    assert sorted(rows_of_json(answer)) == expected(server, "pubmed", UIDS, db)


async def test_by_id_returns_one_linkset_per_id_sorted_as_text(client: Client) -> None:
    answer = await client.json(f"dbfrom=pubmed&db=pmc&{BY_ID}&id=9")
    assert [linkset["ids"] for linkset in answer["linksets"]] == [[uid] for uid in AS_TEXT]
    xml = await client.xml(f"dbfrom=pubmed&db=pmc&{BY_ID}&id=9")
    assert [one.findtext("IdList/Id") for one in xml.findall("LinkSet")] == AS_TEXT


async def test_no_links_omits_the_key(server: Emulator, client: Client) -> None:
    empty = next(n for n in range(1, 100) if not server.graph.links("pubmed", n, "structure"))
    answer = await client.json(f"dbfrom=pubmed&db=structure&id={empty}")
    assert answer["linksets"] == [{"dbfrom": "pubmed", "ids": [str(empty)]}]
    linkset = (await client.xml(f"dbfrom=pubmed&db=structure&id={empty}")).find("LinkSet")
    assert linkset is not None
    assert [child.tag for child in linkset] == ["DbFrom", "IdList"]


async def test_comma_list_is_merged_without_repeats(server: Emulator, client: Client) -> None:
    answer = await client.json("dbfrom=gene&db=taxonomy&id=1,2,3,2,4,5,6,7,8,9")
    (linkset,) = answer["linksets"]
    assert linkset["ids"] == ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
    merged = [uid for db in linkset["linksetdbs"] for uid in db["links"]]
    rows = expected(server, "gene", list(range(1, 10)), "taxonomy")
    assert sorted(merged) == sorted({row[3] for row in rows})


async def test_lists_and_single_ids_mix(client: Client) -> None:
    answer = await client.json("dbfrom=pubmed&db=pmc&id=30,31&id=2&id=30,31")
    assert [linkset["ids"] for linkset in answer["linksets"]] == [["2"], ["30", "31"]]


async def test_get_and_post_are_the_same(client: Client) -> None:
    query = f"dbfrom=pubmed&db=pubmed&cmd=neighbor_score&retmode=json&{BY_ID}"
    assert await client.raw("elink", query) == await client.raw("elink", query, post=True)


async def test_scores_come_with_neighbor_score_only(server: Emulator, client: Client) -> None:
    query = "dbfrom=pubmed&db=pubmed&linkname=pubmed_pubmed&id=1234567"
    plain = (await client.json(query))["linksets"][0]["linksetdbs"][0]["links"]
    scored = (await client.json(f"{query}&cmd=neighbor_score"))["linksets"][0]["linksetdbs"][0]
    assert plain == [link["id"] for link in scored["links"]]
    table = truth(server.graph, "pubmed", [1234567], ["pubmed"], ["pubmed_pubmed"], scores=True)
    assert [link["score"] for link in scored["links"]] == table["score"].to_pylist()
    xml = await client.xml(f"{query}&cmd=neighbor_score")
    scores = [link.findtext("Score") for link in xml.iter("Link")]
    assert scores == [str(score) for score in table["score"].to_pylist()]


def linknames(answer: dict[str, Any]) -> set[str]:
    return {db["linkname"] for one in answer["linksets"] for db in one.get("linksetdbs", ())}


async def test_databases_and_linknames(client: Client) -> None:
    many = "id=" + ",".join(str(n) for n in range(1, 60))
    assert linknames(await client.json(many)) == linknames(await client.json(f"db=pubmed&{many}"))
    both = linknames(await client.json(f"dbfrom=pubmed&db=gene,pmc&{many}"))
    assert both == {
        "pubmed_gene",
        "pubmed_gene_rif",
        "pubmed_pmc",
        "pubmed_pmc_local",
        "pubmed_pmc_refs",
    }
    everything = linknames(await client.json(f"dbfrom=pubmed&db=all&{many}"))
    assert both < everything
    one = linknames(await client.json(f"dbfrom=pubmed&db=pmc&linkname=pubmed_pmc_refs&{many}"))
    assert one == {"pubmed_pmc_refs"}
    assert one == linknames(await client.json(f"dbfrom=pubmed&linkname=pubmed_pmc_refs&{many}"))


async def test_unknown_parameters_are_ignored(client: Client) -> None:
    right = await client.json("dbfrom=pubmed&id=7")
    assert await client.json("dbfrom=pubmed&id=7&dbto=pmc&holdings=x") == right


async def test_parameter_names_are_not_case_sensitive(client: Client) -> None:
    """`ID=4751` was answered in 2024."""
    right = await client.json("dbfrom=pubmed&db=pmc&id=7&id=8")
    assert await client.json("DBFROM=pubmed&Db=pmc&ID=7&Id=8") == right


async def test_nucleotide_is_answered_by_nuccore(client: Client) -> None:
    answer = await client.json("dbfrom=nucleotide&db=protein&id=48819&id=7140345")
    assert {linkset["dbfrom"] for linkset in answer["linksets"]} == {"nuccore"}
    assert linknames(answer) <= {"nuccore_protein"}


async def test_errors_come_with_status_200(client: Client) -> None:
    misspelt = await client.json("dbfrom=pubmed&db=pcm&id=1")
    assert misspelt["linksets"] == []
    assert misspelt["ERROR"] == errors.ADDRESS_TABLE
    xml = await client.xml("dbfrom=pubmed&db=pcm&id=1")
    assert xml.findtext("ERROR") == errors.ADDRESS_TABLE
    assert (await client.json("dbfrom=pubmed&db=pmc"))["ERROR"] == errors.NO_IDS
    assert "nothing" in (await client.json("dbfrom=nothing&id=1"))["ERROR"]


async def test_invalid_ids(client: Client) -> None:
    dropped = await client.json("dbfrom=nucleotide&db=nuccore&id=CCTTAG-GCT")
    assert dropped["linksets"] == []
    _, body = await client.raw("elink", "dbfrom=nuccore&db=nuccore&retmode=json&id=CCTTAG-GCT")
    assert b'"ids":[]' in body
    assert b"NCBI C++ Exception:\n" in body  # the line break makes it invalid JSON
    xml = await client.xml("dbfrom=nuccore&db=gene&id=CCTTAG-GCT")
    assert xml.findtext("LinkSet/ERROR") == errors.BLOB_ID
    assert xml.findtext("LinkSet/LinkSetDb/ERROR") is not None
    one_good = await client.xml("dbfrom=pubmed&db=pmc&id=x&id=12")
    ids = [[uid.text for uid in one.findall("IdList/Id")] for one in one_good.findall("LinkSet")]
    assert ids == [[], ["12"]]


async def test_accessions(client: Client) -> None:
    plain = await client.json("dbfrom=nuccore&db=protein&id=NM_000546.6&id=NM_000000123.1&id=123")
    ids = [one["ids"][0] for one in plain["linksets"]]
    assert len(ids) == 2  # a generated accession and its number are one record
    assert "123" in ids
    query = "dbfrom=nuccore&db=protein&idtype=acc&id=NM_000546.6&id=NM_000000123.1"
    accessions = await client.json(query)
    echoed = {one["ids"][0] for one in accessions["linksets"]}
    assert echoed == {"NM_000546.6", "NM_000000123.1"}
    links = [uid for _, _, _, uid in rows_of_json(accessions)]
    assert links
    assert all(uid.startswith("NP_") and uid.endswith(".1") for uid in links)
    again = await client.json(f"dbfrom=protein&db=nuccore&id={links[0]}&idtype=acc")
    assert again["linksets"][0]["ids"] == [links[0]]
    xml = await client.xml(query)
    assert rows_of_xml(xml) == rows_of_json(accessions)


async def test_a_long_get_is_rejected_and_a_long_post_is_not(client: Client) -> None:
    many = "dbfrom=pubmed&db=pmc&" + "&".join(f"id={10_000_000 + n}" for n in range(400))
    status, body = await client.raw("elink", many)
    assert status == 414
    assert body.startswith(b"<?xml")
    assert b"Submitted URI too large" in body
    status, body = await client.raw("elink", many, post=True)
    assert (status, body.count(b"<LinkSet>")) == (200, 400)


async def test_terms_and_dates_filter_newest_first(client: Client) -> None:
    query = "dbfrom=pubmed&db=pubmed&linkname=pubmed_pubmed&id=30000000"
    whole = [uid for *_, uid in rows_of_json(await client.json(query))]
    some = [uid for *_, uid in rows_of_json(await client.json(f"{query}&term=1:20000000[UID]"))]
    assert some == sorted((u for u in whole if int(u) <= 20_000_000), key=int, reverse=True)
    dated = await client.json(f"{query}&mindate=1960&maxdate=1980")
    assert {uid for *_, uid in rows_of_json(dated)} < set(whole)
    none = await client.json(f"{query}&term=none")
    assert none["linksets"][0]["linksetdbs"][0]["info"] == "No filtered links"
    xml = await client.xml(f"{query}&term=none")
    assert xml.findtext("LinkSet/LinkSetDb/Info") == "No filtered links"
    assert rows_of_json(await client.json(f"{query}&mindate=1960")) == rows_of_json(
        await client.json(query)
    )


async def test_history_in_and_out(server: Emulator, client: Client) -> None:
    answer = await client.json("dbfrom=pubmed&db=gene&cmd=neighbor_history&id=1,2,3,4,5,6,7,8")
    (linkset,) = answer["linksets"]
    first = linkset["linksetdbhistories"][0]
    webenv = linkset["webenv"]
    assert webenv.startswith("MCID_")
    assert len(webenv) == 29
    posted = server.history.fetch(webenv, first["querykey"])
    assert posted is not None
    rows = expected(server, "pubmed", list(range(1, 9)), "gene")
    assert {str(uid) for uid in posted[1]} == {r[3] for r in rows if r[2] == first["linkname"]}
    onward = await client.json(
        f"dbfrom=gene&db=taxonomy&WebEnv={webenv}&query_key={first['querykey']}"
    )
    assert onward["linksets"][0]["ids"] == [str(uid) for uid in posted[1]]
    appended = await client.json(
        f"dbfrom=gene&db=protein&cmd=neighbor_history&WebEnv={webenv}&query_key=1"
    )
    assert appended["linksets"][0]["webenv"] == webenv
    lost = await client.json("dbfrom=gene&db=protein&WebEnv=MCID_0&query_key=1")
    assert lost["linksets"] == [{"ERROR": "Unable to obtain query #1"}]
    xml = await client.xml("dbfrom=gene&db=protein&WebEnv=MCID_0&query_key=1")
    assert xml.findtext("LinkSet/ERROR") == "Unable to obtain query #1"


async def test_ids_past_63_bits_are_echoed_without_links(client: Client) -> None:
    answer = await client.json(f"dbfrom=pubmed&db=pubmed&id={2**64 - 1}")
    assert answer["linksets"] == [{"dbfrom": "pubmed", "ids": [str(2**64 - 1)]}]
