"""LinkOut: URLs outside NCBI, and the cmds that list them: llinks, llinkslib, prlinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.answers.answer import HTML_TYPE, Answer
from harvester.emulator.answers.linksets import LinkSet, ObjUrl, Provider
from harvester.emulator.graph.mixing import key_of

if TYPE_CHECKING:
    from harvester.emulator.utilities.backend import Backend
    from harvester.emulator.utilities.elink import LinkQuery

PUBLISHERS = (
    Provider("Example Journals & Sons", "exjournals", "7001", "https://journals.example.org"),
    Provider("Example Open Press", "exopen", "7002"),
)
AGGREGATORS = (Provider("Example Aggregator", "exaggr", "7101", "https://aggregator.example.org"),)
LIBRARIES = (
    Provider("Example University Library", "exunilib", "7201", "https://library.example.edu"),
    Provider("Example Medical Library", "exmedlib", "7202", "https://medlib.example.edu"),
)


def addresses(db: str, uid: int, *, libraries: bool = False) -> list[ObjUrl]:
    """Return the LinkOut addresses of one record; a third of the records have none."""
    key = key_of("linkout", db, uid)
    if not uid or key % 3 == 0:
        return []
    publisher = PUBLISHERS[(key >> 8) % len(PUBLISHERS)]
    found = [_address(publisher, db, uid, "publishers/providers", "Full Text Sources")]
    if (key >> 16) % 2:
        # The same address of another provider, as in real lists.
        found.append(_address(AGGREGATORS[0], db, uid, "aggregators", "Full Text Sources"))
    if libraries:
        found += [_address(library, db, uid, "libraries", "Libraries") for library in LIBRARIES]
    return found


def llinks(query: LinkQuery, backend: Backend) -> list[LinkSet]:  # noqa: ARG001 - all cmds have one signature
    """Return the addresses of each id, without those of libraries."""
    return _listed(query)


def llinkslib(query: LinkQuery, backend: Backend) -> list[LinkSet]:  # noqa: ARG001
    """Return the addresses of each id."""
    return _listed(query, libraries=True)


def prlinks(query: LinkQuery, backend: Backend) -> list[LinkSet]:  # noqa: ARG001
    """Return the address of each id at its primary provider, at most one."""
    return _listed(query, most=1)


def redirect(query: LinkQuery) -> Answer:
    """Return the redirect of `cmd=prlinks&retmode=ref` to the provider of the first id."""
    for group in query.groups:
        for found in (addresses(query.dbfrom, uid) for uid in group.uids):
            if found:
                return Answer(b"", HTML_TYPE, 302, {"Location": found[0].url})
    body = b"<html><head><title>NCBI - no primary link</title></head></html>\n"
    return Answer(body, HTML_TYPE)


def _listed(query: LinkQuery, *, libraries: bool = False, most: int | None = None) -> list[LinkSet]:
    holding = query.request.get("holding")
    linksets = []
    for group in query.groups:
        linkset = LinkSet(query.dbfrom, None if group.uids else [])
        texts = group.texts(query.dbfrom, accessions=query.accessions)
        for uid, text in zip(group.uids, texts, strict=True):
            found = addresses(query.dbfrom, uid, libraries=libraries)
            if holding and most is None:
                found = [url for url in found if url.provider.abbreviation == holding]
            linkset.urls.append((text, found[:most]))
        linksets.append(linkset)
    return linksets


def _address(provider: Provider, db: str, uid: int, subject: str, category: str) -> ObjUrl:
    return ObjUrl(
        url=f"https://{provider.abbreviation}.example.org/cgi/lookup?view=long&{db}={uid}",
        provider=provider,
        iconurl=f"//www.ncbi.nlm.nih.gov/corehtml/query/egifs/{provider.abbreviation}.gif",
        subject_types=(subject,),
        categories=(category,),
        attributes=("full-text online",),
    )
