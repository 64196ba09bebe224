"""Count the records of each database that match a query; suggest a better spelling."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester.client.catalogue import Catalogue, together
from harvester.errors import HarvestError, Refused, RequestFailed
from harvester.eutils import egquery, esearch, espell
from harvester.eutils.egquery import Hits

if TYPE_CHECKING:
    from harvester.client.client import CanCall, Client

ATTEMPTS = 3
"""Requests per database; one whose search fails is listed with the reason."""

ESPELL_SECONDS = 15.0
"""Longest wait for a suggestion."""


async def search_counts(
    client: Client, term: str, catalogue: Catalogue | None = None
) -> list[Hits]:
    """Return how many records of each database match a query, the largest count first.

    EGQuery answers this in one request, where a server has it; NCBI retired it in 2024. Otherwise
    one ESearch request is sent per database.

    Args:
        client: sends the requests.
        term: the query.
        catalogue: lists the databases, if EGQuery does not answer.

    Raises:
        Refused: the server refuses the program.
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


async def suggestion(client: CanCall, db: str, term: str) -> str | None:
    """Return ESpell's correction of a query; None, if it has none or cannot be asked."""
    try:
        async with asyncio.timeout(ESPELL_SECONDS):
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
