"""ELink: the cmds other than those that return links, and cmds that do not exist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harvester.emulator import Emulator, EmulatorConfig
from harvester.emulator.utilities.linkout import addresses

from .conftest import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

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


@pytest.mark.parametrize("cmd", ["llinkslib", "neighbour"])
async def test_an_unsupported_cmd_is_an_error_in_a_linkset(
    client: Client, recorded: Path, cmd: str
) -> None:
    theirs = (recorded / "ropensci-rentrez" / "elink_llinkslib_not_supported.xml").read_bytes()
    status, ours = await client.raw("elink", f"dbfrom=pubmed&id=7&cmd={cmd}")
    assert (status, ours.split()) == (200, theirs.replace(b"llinkslib", cmd.encode()).split())
    _, body = await client.raw("elink", f"dbfrom=pubmed&id=7&cmd={cmd}&retmode=json")
    received = json.loads(body, strict=False)["linksets"]
    assert received == [{"ERROR": f"Exception:\n{cmd} command not supported"}]


@pytest.mark.parametrize("cmd", ["acheck", "ncheck", "lcheck", "llinks", "prlinks"])
async def test_the_other_cmds_return_every_id_in_both_formats(client: Client, cmd: str) -> None:
    answer = await client.json(f"dbfrom=pubmed&cmd={cmd}&{BY_ID}")
    xml = await client.xml(f"dbfrom=pubmed&cmd={cmd}&{BY_ID}")
    listed = xml.findall("LinkSet/IdCheckList/*") + xml.findall("LinkSet/IdUrlList/*")
    ids = [one.text if one.tag == "Id" else one.findtext("Id") for one in listed]
    assert ids == AS_TEXT
    from_json: list[Any] = []
    for linkset in answer["linksets"]:
        checks = linkset.get("idchecklist", {})
        from_json += [
            (one["value"], one.get("hasneighbor") or one.get("haslinkout"))
            for one in checks.get("ids", ())
        ]
        from_json += [(one["id"], len(one["linkinfos"])) for one in checks.get("idlinksets", ())]
        from_json += [
            (one["id"], len(one.get("objurls", ()))) for one in linkset.get("idurllist", ())
        ]
    from_xml: list[Any] = [
        (one.text, *one.attrib.values())
        if one.tag == "Id"
        else (one.findtext("Id"), len(one) - 1 - len(one.findall("Info")))
        for one in listed
    ]
    assert from_json == from_xml


async def test_acheck_lists_the_families_with_links(server: Emulator, client: Client) -> None:
    answer = await client.json("dbfrom=pubmed&cmd=acheck&id=12169658")
    infos = answer["linksets"][0]["idchecklist"]["idlinksets"][0]["linkinfos"]
    names = [info["linkname"] for info in infos if info["dbto"] != "LinkOut"]
    assert names == [links.linkname for links in server.graph.links("pubmed", 12169658)]


async def test_prlinks_returns_one_address_and_holding_filters(client: Client) -> None:
    many = "id=" + ",".join(map(str, range(1, 40)))
    primary = await client.json(f"dbfrom=pubmed&cmd=prlinks&{many}")
    counts = {len(one.get("objurls", ())) for one in primary["linksets"][0]["idurllist"]}
    assert counts == {0, 1}
    held = await client.json(f"dbfrom=pubmed&cmd=llinks&holding=exopen&{many}")
    providers = {
        url["provider"]["nameabbr"]
        for one in held["linksets"][0]["idurllist"]
        for url in one.get("objurls", ())
    }
    assert providers == {"exopen"}


async def test_llinkslib_can_be_brought_back(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig(rate=None, llinkslib=True)) as server:
        client = Client(session, server)
        listed = await client.json("dbfrom=pubmed&cmd=llinkslib&holding=exunilib&id=1,2,3,4,5")
    providers = {
        url["provider"]["nameabbr"]
        for one in listed["linksets"][0]["idurllist"]
        for url in one.get("objurls", ())
    }
    assert providers == {"exunilib"}


async def test_prlinks_redirects_with_retmode_ref(
    session: aiohttp.ClientSession, server: Emulator
) -> None:
    for uid in range(1, 20):
        url = f"{server.base_url}elink.fcgi?dbfrom=pubmed&cmd=prlinks&retmode=ref&id={uid}"
        async with session.get(url, allow_redirects=False) as response:
            found = addresses("pubmed", uid)
            assert response.status == (302 if found else 200)
            assert response.headers.get("Location") == (found[0].url if found else None)
