"""The cmds that return links: neighbor, neighbor_score, neighbor_history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harvester.emulator.answers import errors
from harvester.emulator.answers.linksets import LinkSet, LinkSetDb, LinkSetDbHistory
from harvester.emulator.databases import SEQUENCES
from harvester.emulator.utilities.dates import request_dates
from harvester.emulator.utilities.selections import Chosen, Selection, selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.emulator.graph.base import Family, Links
    from harvester.emulator.utilities.backend import Backend
    from harvester.emulator.utilities.elink import LinkQuery


def neighbor(query: LinkQuery, backend: Backend) -> list[LinkSet]:
    """Return the links, without scores."""
    return _linksets(query, backend, scores=False)


def neighbor_score(query: LinkQuery, backend: Backend) -> list[LinkSet]:
    """Return the links, with scores for those within one database."""
    return _linksets(query, backend, scores=True)


def neighbor_history(query: LinkQuery, backend: Backend) -> list[LinkSet]:
    """Store the links on the History server: one WebEnv, one query_key per linkname."""
    webenv = query.request.get("WebEnv")
    linksets = _linksets(query, backend, scores=False)
    for linkset in linksets:
        for db in linkset.dbs:
            if db.links is None or not len(db.links):
                continue
            webenv, query_key = backend.history.post(
                db.dbto, [int(uid) for uid in db.links], webenv
            )
            linkset.histories.append(LinkSetDbHistory(db.dbto, db.linkname, query_key))
        linkset.dbs = []
    for linkset in linksets:
        # All LinkSets with links name the same WebEnv (recorded in 2008).
        linkset.webenv = webenv if linkset.histories else ""
    return linksets


def _linksets(query: LinkQuery, backend: Backend, *, scores: bool) -> list[LinkSet]:
    linksets = [
        LinkSet(query.dbfrom, group.texts(query.dbfrom, accessions=query.accessions))
        for group in query.groups
    ]
    sources = np.array([uid for group in query.groups for uid in group.uids], np.uint64)
    bounds = np.cumsum([0, *(len(group.uids) for group in query.groups)])
    for family in query.families:
        links = backend.graph.batch(family, sources)
        wanted = _filter(query, family)
        starts = np.concatenate(([0], np.cumsum(links.counts)))[bounds].tolist()
        for place, linkset in enumerate(linksets):
            if not query.groups[place].uids:
                linkset.dbs.append(_invalid_id(family))
                linkset.errors.append(errors.BLOB_ID)
            elif starts[place] < starts[place + 1]:
                merged = len(query.groups[place].uids) > 1
                kept = _kept(links, starts[place], starts[place + 1], wanted, merged=merged)
                linkset.dbs.append(_linksetdb(query, backend, family, kept, links, scores=scores))
    return linksets


def _linksetdb(
    query: LinkQuery,
    backend: Backend,
    family: Family,
    kept: NDArray[np.int64],
    links: Links,
    *,
    scores: bool,
) -> LinkSetDb:
    db = LinkSetDb(family.dbto, family.linkname)
    if not len(kept):
        db.info = "No filtered links"
        return db
    db.links = links.to_uids[kept]
    if scores and links.scores is not None:
        db.scores = links.scores[kept]
    if query.accessions and family.dbto in SEQUENCES:
        db.links = [backend.accession(family.dbto, uid) for uid in db.links.tolist()]
    return db


def _kept(
    links: Links, start: int, end: int, wanted: Chosen | None, *, merged: bool
) -> NDArray[np.int64]:
    """Return the positions of the links of one LinkSet, without repeats; filtered: newest first."""
    places = np.arange(start, end)
    if merged:
        _, firsts = np.unique(links.to_uids[start:end], return_index=True)
        places = np.sort(firsts) + start
    if wanted is not None:
        places = places[wanted.among(links.to_uids[places])]
        places = places[np.argsort(-links.to_uids[places], kind="stable")]
    return places


def _filter(query: LinkQuery, family: Family) -> Chosen | None:
    """Return the filter of `term` and dates; None if they do not apply (NBK25499)."""
    request = query.request
    if family.dbto == query.dbfrom and request.get("term"):
        return selection(request)
    if family.dbfrom == family.dbto == "pubmed":
        low, high = request_dates(request)
        within = Selection(low, high)
        return None if within == Selection() else within
    return None


def _invalid_id(family: Family) -> LinkSetDb:
    """Return the error of every family for an invalid id (recorded in 2023)."""
    return LinkSetDb(family.dbto, family.linkname, error=errors.UNKNOWN_ID)
