"""ESummary for UIDs in memory: a summary of each, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.api.arguments import MOST, HistorySet, comma_list, read_ids
from harvester.api.history_sets import members
from harvester.client.catalogue import together
from harvester.errors import BadInput, HarvestError
from harvester.eutils import esummary
from harvester.eutils.esummary_json import NOT_VALID

if TYPE_CHECKING:
    from harvester.api.arguments import Uid, Uids
    from harvester.api.connection import Connection
    from harvester.eutils.esummary import DocSum

_PAGE = 200
"""UIDs per request. Their JSON is long, so several requests share a list."""


async def ask_summaries(at: Connection, db: str, ids: Uids | HistorySet) -> dict[Uid, DocSum]:
    """Return what `harvester.Eutils.esummary` returns."""
    if isinstance(ids, HistorySet):
        listed: list[Uid] = [uid async for uid in members(at, db, ids)]
    else:
        listed = read_ids(db, ids)
        if len(listed) > MOST:
            raise BadInput(
                f"{len(listed):,} UIDs are a large job ({MOST:,} at most in one call): "
                "`harvester records` gets the records of a whole harvest."
            )
    pages = [listed[start : start + _PAGE] for start in range(0, len(listed), _PAGE)]
    summaries: dict[Uid, DocSum] = {}
    for page in await together(_ask_page(at, db, page) for page in pages):
        summaries |= page
    return summaries


async def _ask_page(at: Connection, db: str, ids: list[Uid]) -> dict[Uid, DocSum]:
    """Return a summary for each UID; NCBI answers accessions by UID."""
    found: dict[Uid, DocSum] = {}
    for text, one in (await _ask(at, db, comma_list(ids))).items():
        uid = int(text) if text.isascii() and text.isdigit() else text
        found[uid] = {"uid": text, "error": one} if isinstance(one, str) else one
    versions = {one.get("accessionversion"): one for one in found.values()}
    none = "left out of the answer"
    return {
        uid: found.get(uid) or versions.get(uid) or {"uid": str(uid), "error": none} for uid in ids
    }


async def _ask(at: Connection, db: str, ids: str) -> dict[str, DocSum | str]:
    """Request JSON; request XML for the records that break the JSON."""
    form = esummary.form(db, "json") | {"id": ids}
    found = await at.ask("ESummary", esummary.PATH, form, esummary.read)
    broken = [uid for uid, one in found.items() if one == NOT_VALID]
    if not broken:
        return found
    form = esummary.form(db, "xml") | {"id": ",".join(broken)}
    try:
        return found | await at.ask("ESummary", esummary.PATH, form, esummary.read)
    except HarvestError:  # the other records are there
        return found
