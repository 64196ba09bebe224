"""LinkOut: addresses outside NCBI, and the cmds that list them: llinks, llinkslib, prlinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.answers.linksets import LinkSet, ObjUrl, Provider
from harvester.emulator.graph.mixing import key_of

if TYPE_CHECKING:
    from harvester.emulator.utilities.elink import Question
    from harvester.emulator.utilities.world import World

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
    """The addresses of one record; a third of the records have none."""
    key = key_of("linkout", db, uid)
    if not uid or key % 3 == 0:
        return []
    publisher = PUBLISHERS[(key >> 8) % len(PUBLISHERS)]
    found = [_address(publisher, db, uid, "publishers/providers", "Full Text Sources")]
    if (key >> 16) % 2:
        # The same address under another provider, as real lists have them.
        found.append(_address(AGGREGATORS[0], db, uid, "aggregators", "Full Text Sources"))
    if libraries:
        found += [_address(library, db, uid, "libraries", "Libraries") for library in LIBRARIES]
    return found


def llinks(asked: Question, world: World) -> list[LinkSet]:  # noqa: ARG001 - all cmds are called alike
    """The addresses of each id, without those of libraries."""
    return _listed(asked)


def llinkslib(asked: Question, world: World) -> list[LinkSet]:  # noqa: ARG001
    """The addresses of each id."""
    return _listed(asked, libraries=True)


def prlinks(asked: Question, world: World) -> list[LinkSet]:  # noqa: ARG001
    """The primary provider's address of each id, at most one."""
    return _listed(asked, most=1)


def _listed(asked: Question, *, libraries: bool = False, most: int | None = None) -> list[LinkSet]:
    holding = asked.asked.get("holding")
    linksets = []
    for group in asked.groups:
        linkset = LinkSet(asked.dbfrom, None if group.uids else [])
        texts = group.texts(asked.dbfrom, accessions=asked.accessions)
        for uid, text in zip(group.uids, texts, strict=True):
            found = addresses(asked.dbfrom, uid, libraries=libraries)
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
