"""Queries and History sets as sources, with and without faults."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest

from harvester.client.connect import connected
from harvester.emulator.request import UtilityRequest
from harvester.emulator.utilities.ids import accession
from harvester.emulator.utilities.selections import selection
from harvester.errors import BadInput
from harvester.eutils import epost, esearch
from harvester.job.model import Job
from harvester.sources.search import Search

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.servers import Servers

    from harvester.client.client import Client
    from harvester.emulator import Emulator

TERM = "asthma"
"""The emulator finds about 100,000 records of PubMed by it."""

TERM_OF_HALF = "TP53 cancer"
"""By this, every second one."""

FAULTS = ("500:0.15", "cut:0.1", "bad-utf8:0.05", "error-backend:0.05", "empty:0.05")


@asynccontextmanager
async def _client(server: Emulator) -> AsyncIterator[Client]:
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc"},
            "source": {"ids": ["-"]},
            "output": {"path": "out"},
            "limits": {"rate": 500},
            "server": {"base_url": server.base_url},
        }
    )
    async with connected(job.server, job.contact, job.limits) as client:
        yield client


async def _all(search: Search) -> list[Any]:
    return [
        uid
        async for block in search.blocks()
        for uid in (block if isinstance(block, list) else block.tolist())
    ]


def _truth(server: Emulator, term: str, db: str = "pubmed") -> set[int]:
    """Return what a query selects, computed from the whole graph."""
    asked = UtilityRequest.read("esearch", f"term={quote_plus(term)}", b"", "127.0.0.1")
    return set(selection(asked).of(server.graph.records(db)))


@pytest.mark.parametrize("faults", [(), FAULTS], ids=["sound", "faulty"])
async def test_a_query_of_100000_hits_past_the_cap(
    servers: Servers, faults: tuple[str, ...]
) -> None:
    server, warnings = servers.start(faults=faults, seed=2), list[str]()
    whole = _truth(server, TERM)
    async with _client(server) as client:
        search = Search(client, "pubmed", TERM, warn=warnings.append)
        assert await search.count() == len(whole) > 100_000
        uids = await _all(search)
    assert set(uids) == whole
    assert warnings == []
    failed = sum(bool(entry.fault) for entry in server.log)
    assert bool(failed) == bool(faults)
    assert len(server.log) - failed <= 1.5 * len(whole) / esearch.MOST


async def test_other_databases_are_paged_on_the_history_server(servers: Servers) -> None:
    server = servers.start(faults=("500:0.2",), seed=4)
    async with _client(server) as client:
        uids = await _all(Search(client, "gene", "2001:32000[UID]"))
    assert sorted(uids) == list(range(2001, 32_001))
    assert sum(not entry.fault for entry in server.log) == 4


async def test_a_set_of_pubmed_on_the_history_server(servers: Servers) -> None:
    server, warnings = servers.start(), list[str]()
    async with _client(server) as client:
        fields = {"db": "pubmed", "term": TERM, "usehistory": "y", "retmode": "json"}
        kept = await client.call(esearch.PATH, fields, esearch.read)
        search = Search(
            client, "pubmed", webenv=kept.webenv, query_key=kept.query_key, warn=warnings.append
        )
        assert await search.count() == kept.count
        uids = await _all(search)
    assert set(uids) == _truth(server, TERM)
    assert warnings == []


@pytest.mark.parametrize("db", ["pubmed", "gene"])
async def test_a_query_picks_from_a_list_that_was_posted(servers: Servers, db: str) -> None:
    server, listed = servers.start(), range(1, 9000)
    half = _truth(server, f"{TERM_OF_HALF} AND 1:999[UID]", db)
    async with _client(server) as client:
        fields = {"db": db, "id": ",".join(map(str, listed))}
        posted = await client.call(epost.PATH, fields, epost.read)
        pick = partial(Search, client, db, webenv=posted.webenv, query_key=posted.query_key)
        uids = await _all(pick(f"101:200[UID] AND {TERM_OF_HALF}"))
        with pytest.raises(BadInput, match="matches the query 'none' in the set #1"):
            await pick("none").count()
    assert sorted(uids) == [uid for uid in range(101, 201) if uid in half] != []


@pytest.mark.parametrize("db", ["pubmed", "gene"])
async def test_a_list_that_was_posted(servers: Servers, db: str) -> None:
    server, listed = servers.start(), [7, 3, 2**31 + 5, 41]
    async with _client(server) as client:
        fields = {"db": db, "id": ",".join(map(str, listed))}
        posted = await client.call(epost.PATH, fields, epost.read)
        search = Search(client, db, webenv=posted.webenv, query_key=posted.query_key)
        assert sorted(await _all(search)) == sorted(listed)


async def test_accessions_past_10000(servers: Servers) -> None:
    server = servers.start()
    async with _client(server) as client:
        found = await _all(Search(client, "nuccore", "501:25500[UID]", accessions=True))
    assert sorted(found) == sorted(accession("nuccore", uid) for uid in range(501, 25_501))


async def test_dates_narrow_a_query_and_its_slices(servers: Servers) -> None:
    server = servers.start()
    fields = {"datetype": "pdat", "mindate": "1985", "maxdate": "2001"}
    async with _client(server) as client:
        uids = await _all(Search(client, "pubmed", TERM, fields=fields))
    assert set(uids) == _truth(server, f"{TERM} AND 1985:2001[pdat]")
    assert len(uids) > esearch.MOST


async def test_a_set_that_has_expired_is_a_sentence(servers: Servers) -> None:
    server = servers.start()
    async with _client(server) as client:
        search = Search(client, "pubmed", webenv="MCID_gone", query_key="1")
        with pytest.raises(BadInput, match="does not exist or has expired"):
            await search.count()
    assert len(server.log) == 1


async def test_a_query_that_finds_nothing_is_a_sentence(servers: Servers) -> None:
    async with _client(servers.start()) as client:
        with pytest.raises(BadInput, match="No record of protein matches the query 'abcXYZ'"):
            await Search(client, "protein", "abcXYZ").count()
