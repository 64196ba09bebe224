"""Whether the databases and linknames of a job exist.

What NCBI has had for long is known here, and costs no request; EInfo is asked about the rest.
EInfo does not list everything: `pubmed_pubmed_citedin` and its like are returned by ELink and
unlisted (recorded in 2025). So a name is refused only where nothing known explains it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester.errors import BadInput, RequestFailed, nearest
from harvester.eutils import einfo

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harvester.client import Client
    from harvester.job import Link

SECONDS = 15.0
"""A server that tells nothing of itself for so long is taken as it is."""

DATABASES = frozenset(
    """annotinfo assembly biocollections bioproject biosample blastdbinfo books cdd clinvar dbvar
    gap gapplus gds gene genome geoprofiles grasp gtr ipg medgen mesh nlmcatalog nuccore nucleotide
    omim orgtrack pcassay pccompound pcsubstance pmc protein proteinclusters protfam pubmed
    seqannot snp sra structure taxonomy""".split()  # noqa: SIM905 - forty lines otherwise
)
"""As EInfo listed them on 2025-11-27."""

_ALIASES = {"nucleotide": "nuccore"}
"""EInfo lists both; answers and linknames have the second (recorded in 2025)."""


async def check_names(client: Client, link: Link) -> list[str]:
    """See whether the names of a job exist; EInfo is asked if one is not well known.

    Returns:
        A sentence for each name that is not listed but may well exist. None where the server
        cannot be asked.

    Raises:
        BadInput: a name is unknown; tells the nearest.
    """
    if are_known(link):
        return []
    try:
        async with asyncio.timeout(SECONDS):
            databases, links = await asyncio.gather(
                client.call(einfo.PATH, {"retmode": "json"}, einfo.read_databases, 1),
                client.call(
                    einfo.PATH, {"retmode": "json", "db": link.dbfrom}, einfo.read_links, 1
                ),
            )
    except (RequestFailed, TimeoutError):
        return []
    return judge_names(link, databases, links)


def are_known(link: Link) -> bool:
    """Whether all names are of the well-known databases, or of the links between two of them."""
    databases = {link.dbfrom, *link.db} - {"all"}
    plain = {f"{name}_{db}" for db in DATABASES for name in _spellings(link.dbfrom)}
    return databases <= DATABASES and set(link.linkname) <= plain


def judge_names(link: Link, databases: Collection[str], links: Mapping[str, str]) -> list[str]:
    """What `check_names` says, given the databases and the links from `dbfrom`."""
    known = {*databases, *links.values()}
    if link.dbfrom not in known and not links:
        raise BadInput(_no_database("dbfrom", link.dbfrom, databases))
    for db in link.db:
        if db != "all" and db not in known:
            raise BadInput(_no_database("db", db, databases))
    doubts = []
    for name in link.linkname if links else ():
        if name in links:
            continue
        begins = [f"{start}_{db}" for start in _spellings(link.dbfrom) for db in known]
        if not any(name == begin or name.startswith(f"{begin}_") for begin in begins):
            hint = nearest(name, links) or "; leave it out to get all"
            raise BadInput(f"link.linkname: no links from {link.dbfrom} are called '{name}'{hint}.")
        doubts.append(
            f"EInfo does not list {name} among the links from {link.dbfrom}"
            f"{nearest(name, links)}; asking for it all the same."
        )
    return doubts


def _spellings(db: str) -> set[str]:
    return {db, _ALIASES.get(db, db)}


def _no_database(key: str, name: str, databases: Collection[str]) -> str:
    return f"link.{key}: there is no database '{name}'{nearest(name, databases)}."
