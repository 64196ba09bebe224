"""Whether the databases and linknames of a job exist, by what EInfo says of them.

EInfo does not list everything: `pubmed_pubmed_citedin` and its like are returned by ELink and
unlisted (recorded in 2025). So a name is refused only where nothing known explains it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester.errors import BadInput, RequestFailed, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harvester.client import Client
    from harvester.job import Link

SECONDS = 15.0
"""A server that tells nothing of itself for so long is taken as it is."""

_ALIASES = {"nucleotide": "nuccore"}
"""EInfo lists both; answers and linknames have the second (recorded in 2025)."""


async def check_names(client: Client, link: Link) -> list[str]:
    """Ask EInfo about the names of a job.

    Returns:
        A sentence for each name that is not listed but may well exist. None where the server
        cannot be asked.

    Raises:
        BadInput: a name is unknown; tells the nearest.
    """
    try:
        async with asyncio.timeout(SECONDS):
            databases = await client.databases()
            links = await client.links(link.dbfrom)
    except (RequestFailed, TimeoutError):
        return []
    return judge_names(link, databases, links)


def judge_names(link: Link, databases: Collection[str], links: Mapping[str, str]) -> list[str]:
    """What `check_names` says, given the databases and the links from `dbfrom`."""
    known = {*databases, *links.values()}
    if link.dbfrom not in known and not links:
        raise BadInput(_no_database("dbfrom", link.dbfrom, databases))
    for db in link.db:
        if db != "all" and db not in known:
            raise BadInput(_no_database("db", db, databases))
    dbfrom = _ALIASES.get(link.dbfrom, link.dbfrom)
    doubts = []
    for name in link.linkname if links else ():
        if name in links:
            continue
        begins = [f"{start}_{db}" for start in {dbfrom, link.dbfrom} for db in known]
        if not any(name == begin or name.startswith(f"{begin}_") for begin in begins):
            hint = nearest(name, links) or "; `pubmed_pmc` is one from pubmed"
            raise BadInput(f"link.linkname: no links from {link.dbfrom} are called '{name}'{hint}.")
        doubts.append(
            f"EInfo does not list {name} among the links from {link.dbfrom}"
            f"{nearest(name, links)}; asking for it all the same."
        )
    return doubts


def _no_database(key: str, name: str, databases: Collection[str]) -> str:
    return f"link.{key}: there is no database '{name}'{nearest(name, databases)}."
