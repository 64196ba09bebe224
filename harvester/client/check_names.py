"""Check that the databases and linknames of a job exist, before the first ELink request.

NCBI accepts unknown names silently: ELink then finds no links. Well-known names need no request;
EInfo is requested for others, once a day (see `catalogue`). EInfo does not list everything: ELink
returns `pubmed_pubmed_citedin` and others that EInfo lacks (recorded in 2025-11). Names that may
exist therefore get a warning; only those that cannot exist are rejected.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester.client.catalogue import Catalogue
from harvester.client.known_names import DATABASES, LINKNAMES
from harvester.errors import BadInput, RequestFailed, nearest, printable
from harvester.job.databases import ALIASES, SEQUENCES, answer_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from harvester.client.client import Client
    from harvester.job.link import Link

EINFO_SECONDS = 15.0
"""Seconds for EInfo to answer; without an answer the names are not checked."""


async def check_names(client: Client, link: Link) -> list[str]:
    """Check that the names of a job exist; ask EInfo if one is not well known.

    Returns:
        A warning for each name that EInfo does not list but that may exist, or one for all names
        if EInfo does not answer.

    Raises:
        BadInput: a name is unknown; the text names the nearest one.
    """
    check_without_server(link)
    if all_well_known(link):
        return []
    try:
        async with asyncio.timeout(EINFO_SECONDS):
            catalogue = Catalogue(client, attempts=1)
            databases, info = await asyncio.gather(
                catalogue.databases(), catalogue.info(link.dbfrom)
            )
    except (RequestFailed, TimeoutError):
        names = ", ".join(map(printable, _not_well_known(link)))
        return [
            f"EInfo does not answer, so it was not checked whether these names exist: {names}. "
            "ELink finds no links for a name that does not."
        ]
    links = {one.name: one.dbto for one in info.links} if info else {}
    return compare_names(link, databases, links)


def check_without_server(link: Link) -> None:
    """Check the names of a job as far as no server is needed.

    Raises:
        BadInput: they contradict each other, or cannot exist.
    """
    _reject_accessions(link)
    _reject_alias(link)
    _reject_contradiction(link)


def all_well_known(link: Link) -> bool:
    """Return whether all databases and linknames of a job are well known."""
    return not _not_well_known(link)


def _not_well_known(link: Link) -> list[str]:
    """Return the databases and linknames of a job that are not well known, each once."""
    begin = f"{answer_name(link.dbfrom)}_"
    databases = dict.fromkeys([link.dbfrom, *link.db])
    return [
        *(db for db in databases if db != "all" and db not in DATABASES),
        *(name for name in link.linkname if name not in LINKNAMES or not name.startswith(begin)),
    ]


def compare_names(link: Link, databases: Collection[str], links: Mapping[str, str]) -> list[str]:
    """Compare the names of a job with those that EInfo lists.

    Args:
        link: holds the names.
        databases: all databases that EInfo lists.
        links: linkname → database, of the links from `dbfrom`.

    Returns, Raises:
        As `check_names`.
    """
    check_databases(link.dbfrom, [db for db in link.db if db != "all"], databases, links, "link.")
    known = {*databases, *links.values()}
    begin = answer_name(link.dbfrom)
    warnings = []
    for name in link.linkname if links else ():
        if name in links:
            continue
        for alias, canonical in ALIASES.items():
            better = name.replace(f"_{alias}", f"_{canonical}")
            if better in links:
                raise _says_alias(alias, canonical, better)
        hint = nearest(name, links)
        stems = (f"{begin}_{db}" for db in known)
        if not any(name == stem or name.startswith(f"{stem}_") for stem in stems):
            hint = hint or "; leave it out to get all"
            raise BadInput(f"link.linkname: no links from {link.dbfrom} are called '{name}'{hint}.")
        warnings.append(
            f"EInfo does not list {name} among the links from {link.dbfrom}{hint}; "
            "the harvest requests it nevertheless."
        )
    return warnings


def check_databases(
    dbfrom: str,
    dbs: Iterable[str],
    databases: Collection[str],
    links: Mapping[str, str],
    group: str = "",
) -> None:
    """Check that EInfo lists a database or its links, and lists others or links to them.

    Args:
        dbfrom: database that links start from.
        dbs: databases that links lead to.
        databases: all databases that EInfo lists.
        links: linkname → database, of the links from `dbfrom`.
        group: prefix of the key in error texts, for example `link.`.

    Raises:
        BadInput: a name is unknown; the text names the nearest one.
    """
    known = {*databases, *links.values()}
    if dbfrom not in known and not links:
        raise BadInput(_unknown(f"{group}dbfrom", dbfrom, databases))
    for db in dbs:
        if db not in known:
            raise BadInput(_unknown(f"{group}db", db, databases))


def _reject_alias(link: Link) -> None:
    """Reject linknames that begin with an alias: `nucleotide_protein` finds nothing.

    ELink names the links of nucleotide `nuccore_…` (recorded in 2025).
    """
    for name in link.linkname:
        for alias, canonical in ALIASES.items():
            if link.dbfrom in (alias, canonical) and name.startswith(f"{alias}_"):
                raise _says_alias(alias, canonical, canonical + name.removeprefix(alias))


def _says_alias(alias: str, canonical: str, better: str) -> BadInput:
    return BadInput(
        f"link.linkname: ELink's linknames say {canonical} for {alias} (did you mean '{better}'?)."
    )


def _reject_accessions(link: Link) -> None:
    """Reject accessions of a database that has none for ELink: all would end as missing."""
    if link.idtype == "acc" and link.dbfrom not in SEQUENCES:
        raise BadInput(
            f"link.idtype: ELink accepts no accessions of {link.dbfrom} (acc is for nuccore, "
            "protein and popset); find their UIDs with --query 'ACCESSION[accn]'."
        )


def _reject_contradiction(link: Link) -> None:
    """Reject linknames from another database, or to none of the requested ones.

    ELink would find no links. A linkname says DBFROM_DB, or DBFROM_DB_MORE; names that say it in
    another way are left to EInfo.
    """
    dbs = {answer_name(db) for db in link.db}
    for name in link.linkname:
        first, *others = name.split("_")
        if len(others) == 1 and {first, *others} <= DATABASES and first != answer_name(link.dbfrom):
            raise BadInput(
                f"link.linkname: the links {name} start from {first}, and dbfrom is {link.dbfrom}."
            )
        named = [answer_name(db) for db in others if db in DATABASES]
        if first == answer_name(link.dbfrom) and named and not dbs & {"all", *named}:
            raise BadInput(
                f"link.linkname: the links {name} lead to {named[0]}, and db is "
                f"{', '.join(link.db)}; leave db out, or give {named[0]}."
            )


def _unknown(key: str, name: str, databases: Collection[str]) -> str:
    hint = nearest(name, databases)
    return f"{key}: there is no database '{printable(name)}'{hint}."
