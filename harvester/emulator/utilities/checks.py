"""The cmds that check for links: acheck, ncheck, lcheck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harvester.emulator.answers.linksets import LinkInfo, LinkSet
from harvester.emulator.utilities.linkout import addresses

if TYPE_CHECKING:
    from harvester.emulator.utilities.backend import Backend
    from harvester.emulator.utilities.elink import LinkQuery
    from harvester.emulator.utilities.ids import Group

LINKOUT = LinkInfo("LinkOut", "ExternalLink", "LinkOut", "LinkOut", "255")
"""LinkOut in acheck, after all databases (recorded in 2025)."""


def acheck(query: LinkQuery, backend: Backend) -> list[LinkSet]:
    """Return the kinds of links of each id, by database, LinkOut last."""
    uids = [uid for group in query.groups for uid in group.uids]
    kinds: list[list[LinkInfo]] = [[] for _ in uids]
    for family in query.families:
        tag = family.dbto.title()
        info = LinkInfo(family.dbto, family.linkname, f"{tag} Links", tag, "128")
        counts = backend.graph.batch(family, np.array(uids, np.uint64)).counts
        for place in np.flatnonzero(counts).tolist():
            kinds[place].append(info)
    for uid, infos in zip(uids, kinds, strict=True):
        if addresses(query.dbfrom, uid):
            infos.append(LINKOUT)
    linksets, rest = [], iter(kinds)
    for group in query.groups:
        linksets.append(_linkset(query, group))
        linksets[-1].infos = [(text, next(rest)) for text in _texts(query, group)]
    return linksets


def ncheck(query: LinkQuery, backend: Backend) -> list[LinkSet]:
    """Return whether each id has links within its own database."""
    uids = np.array([uid for group in query.groups for uid in group.uids], np.uint64)
    related = np.zeros(len(uids), np.int64)
    for family in query.families:
        if family.dbto == query.dbfrom:
            related += backend.graph.batch(family, uids).counts
    linksets, rest = [], iter(related.astype(bool).tolist())
    for group in query.groups:
        linksets.append(_linkset(query, group, "HasNeighbor"))
        linksets[-1].checks = _marked(_texts(query, group), [next(rest) for _ in group.uids])
    return linksets


def lcheck(query: LinkQuery, backend: Backend) -> list[LinkSet]:  # noqa: ARG001 - all cmds have one signature
    """Return whether each id has LinkOut addresses."""
    linksets = []
    for group in query.groups:
        linked = [bool(addresses(query.dbfrom, uid)) for uid in group.uids]
        linksets.append(_linkset(query, group, "HasLinkOut"))
        linksets[-1].checks = _marked(_texts(query, group), linked)
    return linksets


def _linkset(query: LinkQuery, group: Group, check: str = "") -> LinkSet:
    """Return an empty LinkSet, without IdList unless the id parameter has no valid id."""
    return LinkSet(query.dbfrom, None if group.uids else [], check=check)


def _texts(query: LinkQuery, group: Group) -> list[str]:
    return group.texts(query.dbfrom, accessions=query.accessions)


def _marked(ids: list[str], holds: list[bool]) -> list[tuple[str, str]]:
    return [(uid, "Y" if yes else "N") for uid, yes in zip(ids, holds, strict=True)]
