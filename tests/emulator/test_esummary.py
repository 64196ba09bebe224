"""ESummary: the cap of 500 UIDs, missing records, invalid ids, in the shapes of recordings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harvester.emulator import Emulator, EmulatorConfig

from .conftest import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import aiohttp


@pytest.fixture
async def client(session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    async with Emulator(EmulatorConfig(rate=None)) as server:
        yield Client(session, server)


def ids(count: int) -> str:
    return "id=" + ",".join(str(uid) for uid in range(1, count + 1))


async def test_json_takes_500_uids(client: Client, recorded: Path) -> None:
    _, body = await client.raw("esummary", f"db=pubmed&retmode=json&{ids(500)}", post=True)
    assert len(json.loads(body)["result"]["uids"]) == 500
    status, body = await client.raw("esummary", f"db=pubmed&retmode=json&{ids(501)}", post=True)
    theirs = (recorded / "quoted-live-2026" / "esummary_too_many_uids.json").read_bytes()
    assert (status, body.strip()) == (200, theirs.strip())
    _, body = await client.raw("esummary", f"db=pubmed&{ids(501)}", post=True)
    assert body.count(b"<DocSum>") == 501


async def test_the_cap_holds_for_pages_of_a_set(client: Client) -> None:
    kept = (await client.json("db=pubmed&term=1:900[UID]&usehistory=y", "esearch"))["esearchresult"]
    page = f"db=pubmed&WebEnv={kept['webenv']}&query_key=1"
    assert "Too many UIDs" in (await client.json(page, "esummary"))["error"]
    first = await client.json(f"{page}&retmax=500", "esummary")
    rest = await client.json(f"{page}&retmax=500&retstart=500", "esummary")
    uids = first["result"]["uids"] + rest["result"]["uids"]
    assert uids == [str(uid) for uid in range(900, 0, -1)]


@pytest.mark.parametrize(("db", "unknown"), [("pubmed", 999_999_999), ("gene", 0)])
async def test_uids_that_do_not_exist(client: Client, db: str, unknown: int) -> None:
    result = (await client.json(f"db={db}&id=5,{unknown}", "esummary"))["result"]
    assert result["uids"] == ["5", str(unknown)]
    assert result["5"]["title"] == f"Record 5 of {db}."
    assert result[str(unknown)] == {"uid": str(unknown), "error": "cannot get document summary"}
    xml = await client.xml(f"db={db}&id=5,{unknown}", "esummary")
    assert xml.findtext("DocSum/Id") == "5"
    assert xml.findtext("ERROR") == f"UID={unknown}: cannot get document summary"


async def test_invalid_ids(client: Client) -> None:
    text = "Invalid uid xyz at position= 0"
    answer = await client.json("db=pubmed&id=xyz", "esummary")
    assert (answer["error"], answer["result"]) == (text, {"uids": []})
    assert (await client.xml("db=pubmed&id=xyz", "esummary")).findtext("ERROR") == text
    newer = await client.xml("db=pubmed&id=xyz&version=2.0", "esummary")
    assert newer.findtext("ERROR") == text


async def test_errors_have_the_shape_of_the_recording(client: Client, recorded: Path) -> None:
    theirs = (recorded / "ncbi-GeneGPT" / "esummary_gene_eebbeca8.json").read_bytes()
    _, ours = await client.raw("esummary", "db=gene&id=&retmode=json")
    assert ours.strip() == theirs.strip()
    none = await client.json("db=gene", "esummary")
    assert none["esummaryresult"] == ["Neither query_key nor id specified"]
    unknown = await client.json("db=fleegle&id=1", "esummary")
    assert unknown["esummaryresult"] == ["Invalid db name specified: fleegle"]


async def test_summaries_name_the_accession_of_the_request(client: Client) -> None:
    texts = ["NP_000537.3", "Q9Y6K9.2", "A0A024R161.1", "1TUP_A", "NP_000000012.1"]
    result = (await client.json(f"db=protein&id={','.join(texts)}", "esummary"))["result"]
    assert [result[uid]["accessionversion"] for uid in result["uids"]] == texts
