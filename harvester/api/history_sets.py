"""Sets on the History server: their size and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.api.arguments import set_parameters
from harvester.eutils import esearch
from harvester.eutils.esearch import Found
from harvester.sources.search import Search

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harvester.api.arguments import HistorySet, Uid
    from harvester.api.connection import Connection


async def members(
    at: Connection, db: str, kept: HistorySet, *, accessions: bool = False
) -> AsyncIterator[Uid]:
    """Yield all UIDs of a set, also beyond ESearch's cap of 9,999 for PubMed.

    Args:
        at: connection to the server.
        db: database of the set.
        kept: the set.
        accessions: whether to yield accessions instead of UIDs.

    Raises:
        BadInput: the set is empty, or no longer on the server.
        HarvestError: ESearch does not answer.
    """
    names = set_parameters(kept)
    search = Search(
        at.client,
        db,
        webenv=names["WebEnv"],
        query_key=names["query_key"],
        accessions=accessions,
    )
    async for uid in each(search):
        yield uid


async def each(search: Search) -> AsyncIterator[Uid]:
    """Yield the UIDs of a search one by one."""
    async for block in search.blocks():
        for uid in block if isinstance(block, list) else block.tolist():
            yield uid


async def set_size(at: Connection, db: str, kept: HistorySet) -> int:
    """Return the number of records in a set; ask ESearch if the set does not say it.

    Raises:
        HarvestError: ESearch does not answer, or does not know the set.
    """
    if isinstance(kept, Found):
        return kept.count
    term = f"#{kept.query_key}"
    form = {"db": db, "term": term, "rettype": "count", "retmode": "json", **set_parameters(kept)}
    found = await at.ask("ESearch", esearch.PATH, form, esearch.read_or_error)
    return found.count
