"""ESearch and its cap, EPost, ESummary, EFetch, EInfo and the expiry of History sets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harvester.emulator import Emulator, EmulatorConfig
from harvester.emulator.history import History

from .conftest import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import aiohttp


@pytest.fixture
async def client(session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    async with Emulator(EmulatorConfig(rate=None)) as server:
        yield Client(session, server)


async def search(client: Client, query: str) -> dict[str, str | list[str]]:
    result: dict[str, str | list[str]] = (await client.json(query, "esearch"))["esearchresult"]
    return result


async def test_uid_ranges_are_counted_and_paged(client: Client) -> None:
    whole = await search(client, "db=pubmed&term=501:520[UID]&retmax=100")
    assert (whole["count"], whole["retmax"], whole["retstart"]) == ("20", "20", "0")
    assert whole["idlist"] == [str(uid) for uid in range(520, 500, -1)]
    page = await search(client, "db=pubmed&term=501:520[UID]&retmax=5&retstart=3")
    assert page["idlist"] == ["517", "516", "515", "514", "513"]
    assert (await search(client, "db=pubmed&term=501:520[UID]&rettype=count")) == {"count": "20"}


async def test_slices_of_a_query_add_up(client: Client) -> None:
    term = "breast+cancer"
    count = int(str((await search(client, f"term={term}"))["count"]))
    slices = ["1:9999999", "10000000:20000001", "20000002:99999999"]
    counts = [
        int(str((await search(client, f"term={term}+AND+{span}[UID]"))["count"])) for span in slices
    ]
    assert 0 < sum(counts) == count
    years = [
        int(str((await search(client, f"term={term}&datetype=pdat&{span}"))["count"]))
        for span in ("mindate=1900&maxdate=1999", "mindate=2000&maxdate=2100")
    ]
    assert sum(years) == count
    terms = [
        int(str((await search(client, f"term={term}+AND+{span}[pdat]"))["count"]))
        for span in ("1900:1999/12/31", "2000/01:2100/12")
    ]
    assert terms == years


async def test_pubmed_returns_at_most_9999_records(client: Client) -> None:
    clamped = await client.json("db=pubmed&term=all[filter]&retmax=20000", "esearch")
    result = clamped["esearchresult"]
    assert len(result["idlist"]) == 9999
    assert "adjusted to 0, 9999" in result["warninglist"]["outputmessages"][0]
    status, body = await client.raw("esearch", "term=all[filter]&retstart=9999&retmode=json")
    assert status == 200
    with pytest.raises(ValueError, match="control character"):
        json.loads(body)
    xml = await client.xml("term=all[filter]&retstart=9999", "esearch")
    assert "9998" in xml.findtext("ERROR", "")
    others = await search(client, "db=gene&term=all[filter]&retmax=10001&retstart=20000")
    assert len(others["idlist"]) == 10001


async def test_a_search_within_a_history_set(client: Client) -> None:
    kept = await search(client, "term=1:50[UID]&usehistory=y")
    webenv = kept["webenv"]
    part = await search(client, f"term=40:60[UID]&WebEnv={webenv}&query_key=1&usehistory=y")
    assert (part["count"], part["webenv"], part["querykey"]) == ("11", webenv, "2")
    again = await search(client, f"term=all&WebEnv={webenv}&query_key=2")
    assert again["idlist"] == [str(uid) for uid in range(50, 39, -1)]
    assert (await search(client, "term="))["ERROR"] == "Empty term and query_key - nothing todo"
    lost = await search(client, "term=1[UID]&WebEnv=MCID_1&query_key=4")
    assert lost["ERROR"] == "Unable to obtain query #4"


async def test_sets_are_referenced_within_a_term(client: Client) -> None:
    """As in `term=#2+AND+"gene in genomic"[properties]` (NBK25497)."""
    kept = await search(client, "term=1:50[UID]&usehistory=y")
    webenv = kept["webenv"]
    await search(client, f"term=45:90[UID]&usehistory=y&WebEnv={webenv}")
    whole = await search(client, f"term=%231&WebEnv={webenv}&retmax=100")
    assert (whole["count"], whole["querytranslation"]) == ("50", "#1")
    part = await search(client, f"term=%231+AND+40:60[UID]&WebEnv={webenv}")
    assert part["idlist"] == [str(uid) for uid in range(50, 39, -1)]
    both = await search(client, f"term=%231+AND+%232&WebEnv={webenv}")
    assert both["idlist"] == [str(uid) for uid in range(50, 44, -1)]
    lost = await search(client, "term=%231+AND+1:5[UID]&WebEnv=MCID_1")
    assert lost["ERROR"] == "Unable to obtain query #1"


async def test_a_search_within_a_set_with_gaps(client: Client) -> None:
    kept = await search(client, "term=breast+cancer&usehistory=y&retmax=9999")
    posted = await client.xml("db=pubmed&id=7,900,33,41", "epost")
    for webenv, uids in (
        (kept["webenv"], [int(uid) for uid in kept["idlist"]]),
        (posted.findtext("WebEnv"), [900, 41, 33, 7]),
    ):
        low, high = sorted(uids)[1], sorted(uids)[-2]
        found = await search(client, f"term=%231+AND+{low}:{high}[UID]&WebEnv={webenv}&retmax=9999")
        assert found["idlist"] == [str(uid) for uid in uids if low <= uid <= high]


async def test_a_query_within_a_set_has_the_form_of_the_recording(
    client: Client, recorded: Path
) -> None:
    theirs = json.loads(
        (recorded / "bionode-bionode-ncbi/Download_list_for_sra__3_esearch.json").read_text()
    )["esearchresult"]
    kept = await search(client, "db=sra&term=1:13[UID]&usehistory=y")
    query = f"db=sra&term=1:99[UID]&WebEnv={kept['webenv']}&query_key=1"
    ours = await search(client, query)
    assert ours["count"] == theirs["count"]
    assert set(ours) == set(theirs)
    assert ours["translationstack"][0] == theirs["translationstack"][0] == "GROUP"
    assert ours["translationstack"][-2:] == theirs["translationstack"][-2:] == ["GROUP", "AND"]
    assert str(theirs["querytranslation"]).startswith("(#1) AND (")
    assert ours["querytranslation"] == "(#1) AND (1:99[UID])"


async def test_epost_succeeds_partially(client: Client) -> None:
    half = await client.xml("db=pubmed&id=NM_001.2,17", "epost")
    assert half.findtext("QueryKey") == "1"
    assert "delimiters" in half.findtext("ERROR", "")
    webenv = half.findtext("WebEnv")
    _, uids = await client.raw("efetch", f"db=pubmed&WebEnv={webenv}&query_key=1&rettype=uilist")
    assert uids == b"1\n2\n17\n"


@pytest.mark.parametrize("utility", ["epost", "espell"])
async def test_utilities_without_json_answer_500(client: Client, utility: str) -> None:
    status, body = await client.raw(utility, "db=pubmed&id=1&term=x&retmode=json")
    assert status == 500
    assert b"WWW Error 500 Diagnostic" in body


async def test_einfo_is_equal_in_json_and_xml(client: Client) -> None:
    info = (await client.json("db=pubmed", "einfo"))["einforesult"]["dbinfo"][0]
    xml = await client.xml("db=pubmed", "einfo")
    assert [link["name"] for link in info["linklist"]] == [
        link.findtext("Name") for link in xml.iter("Link")
    ]
    assert info["count"] == xml.findtext("DbInfo/Count")
    names = (await client.json("", "einfo"))["einforesult"]["dblist"]
    assert names == [one.text for one in (await client.xml("", "einfo")).iter("DbName")]
    unknown = await client.json("db=fleegle", "einfo")
    assert unknown["einforesult"]["ERROR"] == "Can not retrieve DbInfo for db=fleegle"


async def test_egquery_is_a_redirect_to_a_dead_host(session: aiohttp.ClientSession) -> None:
    async with Emulator() as server:
        url = f"{server.base_url}egquery.fcgi?term=cancer"
        async with session.get(url, allow_redirects=False) as response:
            assert response.status == 301
            assert "ext-http-eutils.linkerd.ncbi.nlm.nih.gov" in response.headers["Location"]


async def test_egquery_counts_as_esearch_does(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig(rate=None, egquery=True)) as server:
        client = Client(session, server)
        xml = await client.xml("term=cancer", "egquery")
        counts = {one.findtext("DbName"): one.findtext("Count") for one in xml.iter("ResultItem")}
        assert counts["gene"] == (await search(client, "db=gene&term=cancer"))["count"]


def test_a_webenv_expires() -> None:
    now = [0.0]
    history = History(life=60, clock=lambda: now[0])
    webenv, query_key = history.post("pubmed", (1, 2))
    assert history.post("pubmed", (1, 2), webenv) == (webenv, query_key)
    assert history.post("pubmed", (3,), webenv) == (webenv, "2")
    now[0] = 59.0
    assert history.fetch(webenv, query_key) == ("pubmed", (1, 2))
    now[0] = 61.0
    assert history.fetch(webenv, query_key) is None
    assert history.post("pubmed", (1, 2), webenv)[0] != webenv


async def test_a_history_set_can_be_too_large_for_elink(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig(rate=None, history_limit=10)) as server:
        client = Client(session, server)
        webenv = (await search(client, "term=1:11[UID]&usehistory=y"))["webenv"]
        refused = await client.json(f"dbfrom=pubmed&WebEnv={webenv}&query_key=1")
    assert refused["ERROR"] == "Empty history ID list - nothing todo"
