"""The cmds that give links: neighbor, neighbor_score, neighbor_history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harvester.emulator.answers import errors
from harvester.emulator.answers.linksets import LinkSet, LinkSetDb, LinkSetDbHistory
from harvester.emulator.databases import SEQUENCES
from harvester.emulator.utilities.ids import accession
from harvester.emulator.utilities.selections import Selection, dates, selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.emulator.graph.base import Family, Links
    from harvester.emulator.utilities.elink import Question
    from harvester.emulator.utilities.world import World


def neighbor(asked: Question, world: World) -> list[LinkSet]:
    """LinkSets with the links, without scores."""
    return _linksets(asked, world, scores=False)


def neighbor_score(asked: Question, world: World) -> list[LinkSet]:
    """LinkSets with the links, and scores for those within one database."""
    return _linksets(asked, world, scores=True)


def neighbor_history(asked: Question, world: World) -> list[LinkSet]:
    """LinkSets whose links are put on the History server: one WebEnv, a query_key a linkname."""
    webenv = asked.asked.get("WebEnv")
    linksets = _linksets(asked, world, scores=False)
    for linkset in linksets:
        for db in linkset.dbs:
            if db.links is None or not len(db.links):
                continue
            webenv, query_key = world.history.post(db.dbto, [int(uid) for uid in db.links], webenv)
            linkset.histories.append(LinkSetDbHistory(db.dbto, db.linkname, query_key))
        linkset.dbs = []
    for linkset in linksets:
        # All LinkSets name the one WebEnv (recorded in 2008), and those without links none.
        linkset.webenv = webenv if linkset.histories else ""
    return linksets


def _linksets(asked: Question, world: World, *, scores: bool) -> list[LinkSet]:
    linksets = [
        LinkSet(asked.dbfrom, group.texts(asked.dbfrom, accessions=asked.accessions))
        for group in asked.groups
    ]
    sources = np.array([uid for group in asked.groups for uid in group.uids], np.uint64)
    bounds = np.cumsum([0, *(len(group.uids) for group in asked.groups)])
    for family in asked.families:
        links = world.graph.batch(family, sources)
        wanted = _filter(asked, family)
        starts = np.concatenate(([0], np.cumsum(links.counts)))[bounds].tolist()
        for place, linkset in enumerate(linksets):
            if not asked.groups[place].uids:
                linkset.dbs.append(_impossible(family))
                linkset.errors.append(errors.BLOB_ID)
            elif starts[place] < starts[place + 1]:
                merged = len(asked.groups[place].uids) > 1
                kept = _kept(links, starts[place], starts[place + 1], wanted, merged=merged)
                linkset.dbs.append(_linksetdb(asked, family, kept, links, scores=scores))
    return linksets


def _linksetdb(
    asked: Question, family: Family, kept: NDArray[np.int64], links: Links, *, scores: bool
) -> LinkSetDb:
    db = LinkSetDb(family.dbto, family.linkname)
    if not len(kept):
        db.info = "No filtered links"
        return db
    db.links = links.to_uids[kept]
    if scores and links.scores is not None:
        db.scores = links.scores[kept]
    if asked.accessions and family.dbto in SEQUENCES:
        db.links = [accession(family.dbto, uid) for uid in db.links.tolist()]
    return db


def _kept(
    links: Links, start: int, end: int, wanted: Selection | None, *, merged: bool
) -> NDArray[np.int64]:
    """Places of the links of one LinkSet: of equal ones the first; filtered ones newest first."""
    places = np.arange(start, end)
    if merged:
        _, firsts = np.unique(links.to_uids[start:end], return_index=True)
        places = np.sort(firsts) + start
    if wanted is not None:
        places = places[wanted.among(links.to_uids[places])]
        places = places[np.argsort(-links.to_uids[places], kind="stable")]
    return places


def _filter(asked: Question, family: Family) -> Selection | None:
    """What `term` and dates leave of a family; None where they do not apply (NBK25499)."""
    request = asked.asked
    if family.dbto == asked.dbfrom and request.get("term"):
        return selection(request)
    if family.dbfrom == family.dbto == "pubmed":
        low, high = dates(request)
        within = Selection(low, high)
        return None if within == Selection() else within
    return None


def _impossible(family: Family) -> LinkSetDb:
    """What an id that is none gets from every family (recorded in 2023)."""
    return LinkSetDb(family.dbto, family.linkname, error=errors.UNKNOWN_ID)
