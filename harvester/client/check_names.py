"""Whether the databases and linknames of a job exist.

What NCBI has had for long is known here, and costs no request; EInfo is asked about the rest,
once a day (see `catalogue`).
EInfo does not list everything: `pubmed_pubmed_citedin` and its like are returned by ELink and
unlisted (recorded in 2025). So a name is refused only where nothing known explains it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester.client.catalogue import Catalogue
from harvester.errors import BadInput, RequestFailed, nearest, printable
from harvester.job.databases import answer_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from harvester.client.client import Client
    from harvester.job.link import Link

SECONDS = 15.0
"""A server that tells nothing of itself for so long is taken as it is."""

DATABASES = frozenset(
    """annotinfo assembly biocollections bioproject biosample blastdbinfo books cdd clinvar dbvar
    gap gapplus gds gene genome geoprofiles grasp gtr ipg medgen mesh nlmcatalog nuccore nucleotide
    omim orgtrack pcassay pccompound pcsubstance pmc protein proteinclusters protfam pubmed
    seqannot snp sra structure taxonomy""".split()  # noqa: SIM905 - forty lines otherwise
)
"""As EInfo listed them on 2025-11-27."""


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
            catalogue = Catalogue(client, attempts=1)
            databases, info = await asyncio.gather(
                catalogue.databases(), catalogue.info(link.dbfrom)
            )
    except (RequestFailed, TimeoutError):
        return []
    links = {one.name: one.dbto for one in info.links} if info else {}
    return judge_names(link, databases, links)


def are_known(link: Link) -> bool:
    """Whether all names are of the well-known databases, or of the links between two of them."""
    databases = {link.dbfrom, *link.db} - {"all"}
    plain = {f"{name}_{db}" for db in DATABASES for name in _spellings(link.dbfrom)}
    return databases <= DATABASES and set(link.linkname) <= plain


def judge_names(link: Link, databases: Collection[str], links: Mapping[str, str]) -> list[str]:
    """What `check_names` says, given the databases and the links from `dbfrom`."""
    see_databases(link.dbfrom, [db for db in link.db if db != "all"], databases, links, "link.")
    known = {*databases, *links.values()}
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


def see_databases(
    dbfrom: str,
    dbs: Iterable[str],
    databases: Collection[str],
    links: Mapping[str, str],
    group: str = "",
) -> None:
    """See that a database is listed, or has links, and that others are listed, or linked to.

    Args:
        dbfrom: where links start.
        dbs: where they lead.
        databases: all that are listed.
        links: from `dbfrom`: linkname → database.
        group: begins the name of what is wrong.

    Raises:
        BadInput: a name is unknown; tells the nearest.
    """
    known = {*databases, *links.values()}
    if dbfrom not in known and not links:
        raise BadInput(_no_database(f"{group}dbfrom", dbfrom, databases))
    for db in dbs:
        if db not in known:
            raise BadInput(_no_database(f"{group}db", db, databases))


def _spellings(db: str) -> set[str]:
    return {db, answer_name(db)}


def _no_database(key: str, name: str, databases: Collection[str]) -> str:
    return f"{key}: there is no database '{printable(name)}'{nearest(name, databases)}."
