"""Each fault alone, as a client receives it."""

from __future__ import annotations

import json
import zlib
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import pytest

from harvester.emulator import Emulator, EmulatorConfig
from harvester.emulator.faults import NAMES, affects

from .conftest import Client

UIDS = [str(uid) for uid in range(1, 21)]
QUERY = "dbfrom=pubmed&db=pubmed&" + "&".join(f"id={uid}" for uid in UIDS)
JSON_QUERY = f"{QUERY}&retmode=json"


def with_fault(*faults: str, **settings: Any) -> Emulator:
    return Emulator(EmulatorConfig(rate=None, faults=faults, **settings))


async def right(session: aiohttp.ClientSession) -> dict[str, Any]:
    """Return the answer without any fault."""
    async with Emulator(EmulatorConfig(rate=None)) as server:
        return await Client(session, server).json(QUERY)


STATUSES = {
    "400": (400, b"<ERROR>ID list is empty!"),
    "414": (414, b"Submitted URI too large!"),
    "429": (429, b'{"error":"API rate limit exceeded","api-key":"127.0.0.1","count":"'),
    "500": (500, b"WWW Error 500 Diagnostic"),
    "502": (502, b"<html>"),
    "503": (503, b"<html>"),
    "504": (504, b"<html>"),
    "bad-key": (400, b'{"error":"API key invalid"'),
    "forwarding": (500, b'{"error":"error forwarding request"'),
    "unroutable": (502, b"Unable to route request!"),
    "rate-limit-200": (200, b'{"error":"API rate limit exceeded"'),
    "error-address": (200, b'"ERROR":"Couldn\'t resolve #exLinkSrv2, the address table is empty."'),
    "error-readall": (200, b'"ERROR":"NCBI C++ Exception:\n    Error: TXCLIENT'),
    "error-backend": (200, b'"ERROR":"Search Backend failed'),
    "error-db": (200, b'"ERROR":"Invalid db name specified: pubmed"'),
    "html-200": (200, b"<!DOCTYPE html>"),
    "empty": (200, b""),
}


@pytest.mark.parametrize("name", STATUSES)
async def test_faults_that_replace_the_answer(session: aiohttp.ClientSession, name: str) -> None:
    async with with_fault(name) as server:
        status, body = await Client(session, server).raw("elink", JSON_QUERY)
        assert (status, server.log.entries[0].fault) == (STATUSES[name][0], name)
    assert STATUSES[name][1] in body
    assert b'"linksetdbs"' not in body


@pytest.mark.parametrize("name", ["429", "rate-limit-200"])
@pytest.mark.parametrize(("key", "limit"), [("", 70), ("&api_key=k", 200)])
async def test_a_drawn_429_states_the_configured_limit(
    session: aiohttp.ClientSession, name: str, key: str, limit: int
) -> None:
    limits = EmulatorConfig(rate=70, rate_with_key=200, faults=(name,))
    async with Emulator(limits) as server:
        _, body = await Client(session, server).raw("elink", QUERY + key)
    received = json.loads(body)
    assert int(received["limit"]) == limit < int(received["count"])


async def test_prolog_only(session: aiohttp.ClientSession) -> None:
    async with with_fault("prolog-only") as server:
        _, body = await Client(session, server).raw("elink", QUERY)
    assert body.startswith(b"<?xml")
    with pytest.raises(ET.ParseError):
        ET.fromstring(body)


async def test_cut(session: aiohttp.ClientSession) -> None:
    whole = json.dumps(await right(session), separators=(",", ":")).encode() + b"\n"
    async with with_fault("cut") as server:
        _, body = await Client(session, server).raw("elink", JSON_QUERY)
    assert len(body) < len(whole)
    assert whole.startswith(body)


@pytest.mark.parametrize(
    ("name", "noise"), [("control-chars", b"\x00\x0b\x1f"), ("bad-utf8", b"\xc3\x28\xff")]
)
async def test_inserted_bytes(session: aiohttp.ClientSession, name: str, noise: bytes) -> None:
    async with with_fault(name) as server:
        _, body = await Client(session, server).raw("elink", JSON_QUERY)
    assert json.loads(body.replace(noise, b"")) == await right(session)
    with pytest.raises(ValueError):  # noqa: PT011 - of JSON or of UTF-8
        json.loads(body)


async def answered(session: aiohttp.ClientSession, *faults: str) -> list[dict[str, Any]]:
    """Return the LinkSets of an answer with faults that leave it valid JSON."""
    async with with_fault(*faults) as server:
        answer = await Client(session, server).json(QUERY)
        assert server.log.entries[0].fault == faults[0].partition("@")[0].partition(":")[0]
    linksets: list[dict[str, Any]] = answer["linksets"]
    return linksets


def ids(linksets: list[dict[str, Any]]) -> list[list[str] | None]:
    return [linkset.get("ids") for linkset in linksets]


async def test_short(session: aiohttp.ClientSession) -> None:
    received, whole = await answered(session, "short"), (await right(session))["linksets"]
    assert len(received) < len(whole)
    assert all(linkset in whole for linkset in received)


async def test_short_for_certain_uids(session: aiohttp.ClientSession) -> None:
    received = await answered(session, "short@3,7")
    assert sorted(uid for (uid,) in filter(None, ids(received))) == sorted(set(UIDS) - {"3", "7"})


async def test_doubled(session: aiohttp.ClientSession) -> None:
    received = [str(one) for one in ids(await answered(session, "doubled"))]
    assert len(received) > len(UIDS)
    assert len(set(received)) == len(UIDS)


async def test_reordered(session: aiohttp.ClientSession) -> None:
    received, whole = await answered(session, "reordered"), (await right(session))["linksets"]
    assert ids(received) != ids(whole)
    assert sorted(map(str, received)) == sorted(map(str, whole))


async def test_alien(session: aiohttp.ClientSession) -> None:
    received = await answered(session, "alien")
    unrequested = [one for one in received if one["ids"][0] not in UIDS]
    assert unrequested
    assert all(one["linksetdbs"][0]["links"] for one in unrequested)
    assert len(received) - len(unrequested) == len(UIDS)


async def test_no_ids(session: aiohttp.ClientSession) -> None:
    received = await answered(session, "no-ids")
    (added,) = [one for one in received if "ids" not in one]
    assert "dbfrom" not in added
    assert added["linksetdbs"]
    async with with_fault("no-ids") as server:
        xml = await Client(session, server).xml(QUERY)
    assert len([one for one in xml.findall("LinkSet") if one.find("IdList") is None]) == 1


async def test_id_0(session: aiohttp.ClientSession) -> None:
    received = [one for one in await answered(session, "id-0") if one["ids"] == ["0"]]
    assert received
    assert not any("linksetdbs" in one for one in received)


async def test_error_in_linkset(session: aiohttp.ClientSession) -> None:
    received = [one for one in await answered(session, "error-in-linkset") if "ERROR" in one]
    assert received
    assert not any("linksetdbs" in one for one in received)


async def test_error_in_linksetdb_beside_siblings(session: aiohttp.ClientSession) -> None:
    (wrong,) = [
        one
        for one in await answered(session, "error-in-linksetdb@5")
        if any("ERROR" in db for db in one["linksetdbs"])
    ]
    assert wrong["ids"] == ["5"]
    assert [db for db in wrong["linksetdbs"] if "links" in db]
    assert [db.get("ERROR") for db in wrong["linksetdbs"]].count(
        "Error calling ExLink server."
    ) == 1


async def test_exception_in_linksetdb_is_invalid_json(session: aiohttp.ClientSession) -> None:
    async with with_fault("exception-in-linksetdb") as server:
        client = Client(session, server)
        _, body = await client.raw("elink", JSON_QUERY)
        xml = await client.xml(QUERY)
    with pytest.raises(ValueError, match="control character"):
        json.loads(body)
    assert json.loads(body, strict=False)["linksets"]
    errors = [one.text or "" for one in xml.iter("ERROR")]
    assert errors
    assert all(text.startswith("NCBI C++ Exception:\n") for text in errors)


async def test_lost_leading(session: aiohttp.ClientSession) -> None:
    whole = {one["ids"][0]: one for one in (await right(session))["linksets"]}
    lost = []
    for linkset in await answered(session, "lost-leading@5"):
        received = {db["linkname"]: db["links"] for db in linkset.get("linksetdbs", ())}
        for db in whole[linkset["ids"][0]].get("linksetdbs", ()):
            kept = received.get(db["linkname"], [])
            missing = len(db["links"]) - len(kept)
            assert kept == db["links"][missing:]
            assert missing % 100 == 0 or not kept
            lost += [linkset["ids"][0]] * bool(missing)
    assert set(lost) == {"5"}


async def test_lost_blocks_are_a_share_of_all_blocks(session: aiohttp.ClientSession) -> None:
    query = "dbfrom=gene&db=snp&" + "&".join(f"id={n}" for n in range(1, 400))
    async with with_fault("lost-blocks:0.1", links_per_uid=500) as server:
        client = Client(session, server)
        _, body = await client.raw("elink", f"{query}&retmode=json", post=True)
    received = [
        len(db["links"]) for one in json.loads(body)["linksets"] for db in one.get("linksetdbs", ())
    ]
    assert set(received) <= {100, 200, 300, 400, 500}
    assert 1 - sum(received) / (500 * len(received)) == pytest.approx(0.1, abs=0.04)


async def test_poison_fails_every_batch_with_the_uid(session: aiohttp.ClientSession) -> None:
    async with with_fault("poison@7") as server:
        client = Client(session, server)
        for _ in range(3):
            assert (await client.raw("elink", QUERY))[0] == 500
        assert (await client.raw("elink", QUERY.replace("&id=7", "")))[0] == 200
    async with with_fault("poison:0.2", seed=3) as server:
        client = Client(session, server)
        for uid in UIDS:
            status, _ = await client.raw("elink", f"id={uid}")
            assert (status == 500) == affects(3, "poison", uid, 0.2)


async def test_expired_webenv(session: aiohttp.ClientSession) -> None:
    async with with_fault("expired-webenv") as server:
        client = Client(session, server)
        posted = await client.xml("db=pubmed&id=1,2", "epost")
        webenv = posted.findtext("WebEnv")
        lost = await client.json(f"dbfrom=pubmed&WebEnv={webenv}&query_key=1")
        assert lost["linksets"] == [{"ERROR": "Unable to obtain query #1"}]
        assert [entry.fault for entry in server.log] == ["", "expired-webenv"]


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("reset", aiohttp.ClientConnectionError),
        ("cut-close", aiohttp.ClientPayloadError),
        ("cut-reset", aiohttp.ClientError),
        ("hang", TimeoutError),
    ],
)
async def test_connections_that_fail(
    session: aiohttp.ClientSession, name: str, failure: type[Exception]
) -> None:
    async with with_fault(name) as server:
        url = f"{server.base_url}elink.fcgi?{QUERY}"
        with pytest.raises(failure):
            async with session.get(url, timeout=aiohttp.ClientTimeout(total=0.3)) as response:
                await response.read()
        entry = server.log.entries[0]
        assert (entry.fault, entry.status) == (name, 200 if name.startswith("cut") else 0)
        async with session.get(f"{server.base_url}nothing.fcgi") as response:
            assert response.status == 404  # the server is still up


async def test_drip(session: aiohttp.ClientSession) -> None:
    async with with_fault("drip", drip_seconds=0.005) as server:
        url = f"{server.base_url}elink.fcgi?db=misspelt&id=1&retmode=json"
        async with session.get(url) as response:
            chunks = [chunk async for chunk in response.content.iter_any()]
    body = b"".join(chunks)
    assert json.loads(body)["linksets"] == []
    assert len(chunks) > len(body) / 4


async def test_gzip_cut() -> None:
    async with (
        with_fault("gzip-cut") as server,
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(
            f"{server.base_url}elink.fcgi?{QUERY}", headers={"Accept-Encoding": "gzip"}
        ) as response,
    ):
        assert response.headers["Content-Encoding"] == "gzip"
        packed = await response.read()
        assert len(packed) == int(response.headers["Content-Length"])
    unpacker = zlib.decompressobj(31)
    unpacker.decompress(packed)
    assert not unpacker.eof


SEEN_ABOVE = {
    *STATUSES,
    *("prolog-only", "cut", "control-chars", "bad-utf8", "short", "doubled", "reordered", "alien"),
    *("no-ids", "id-0", "error-in-linkset", "error-in-linksetdb", "exception-in-linksetdb"),
    *("lost-leading", "lost-blocks", "poison", "expired-webenv", "reset", "cut-close"),
    *("cut-reset", "hang", "drip", "gzip-cut"),
}


def test_every_fault_has_a_test() -> None:
    assert set(NAMES) == SEEN_ABOVE
