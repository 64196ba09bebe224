"""How many records of each database match a query, and what a query may have meant instead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester.client.catalogue import Catalogue, together
from harvester.errors import HarvestError, Refused, RequestFailed
from harvester.eutils import egquery, esearch, espell
from harvester.eutils.egquery import Hits

if TYPE_CHECKING:
    from harvester.client.client import Client

ATTEMPTS = 3
"""Of one search; a database whose search fails is named as such."""

SECONDS = 15.0
"""A suggestion is not worth waiting for any longer."""


async def counts(client: Client, term: str, catalogue: Catalogue | None = None) -> list[Hits]:
    """What a query finds in every database, the most first.

    EGQuery tells in one request where the server still has it; NCBI retired it in 2024. ESearch
    is asked about each database in its place.

    Args:
        client: asks.
        term: the query.
        catalogue: of the databases, where EGQuery is no more.

    Raises:
        Refused: the server refuses us.
        HarvestError: no database could be searched.
    """
    try:
        found = await client.call(egquery.PATH, {"term": term}, egquery.read, 1)
    except (Refused, RequestFailed):
        names = await (catalogue or Catalogue(client, attempts=ATTEMPTS)).databases()
        found = await together(_search(client, name, term) for name in names)
    if all(one.count is None for one in found):
        raise HarvestError(f"No database could be searched: {found[0].status}.")
    return sorted(found, key=lambda one: (one.count is None, -(one.count or 0), one.db))


async def suggestion(client: Client, db: str, term: str) -> str | None:
    """How a query may have been meant, by ESpell; None where it has no idea, or cannot be asked."""
    try:
        async with asyncio.timeout(SECONDS):
            return await client.call(espell.PATH, {"db": db, "term": term}, espell.read, 1)
    except (RequestFailed, Refused, TimeoutError):
        return None


async def _search(client: Client, db: str, term: str) -> Hits:
    asked = {"db": db, "term": term, "rettype": "count", "retmode": "json"}
    try:
        found = await client.call(esearch.PATH, asked, esearch.read, ATTEMPTS)
    except RequestFailed as failure:
        return Hits(db, None, failure.reason)
    return Hits(db, found.count)
