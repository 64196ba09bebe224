"""ESummary of UIDs in memory: a summary of each, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.api.arguments import MOST, HistorySet, comma_list, read_ids, set_parameters
from harvester.client.catalogue import together
from harvester.errors import BadInput
from harvester.eutils import esummary

if TYPE_CHECKING:
    from harvester.api.arguments import Uid, Uids
    from harvester.api.connection import Connection
    from harvester.eutils.esummary import DocSum

_PAGE = 200
"""UIDs per request. Their JSON is long, so a long list is split into several requests."""


async def ask_summaries(at: Connection, db: str, ids: Uids | HistorySet) -> dict[Uid, DocSum]:
    """Return what `harvester.Eutils.esummary` returns."""
    if isinstance(ids, HistorySet):
        return await _ask(at, db, set_parameters(ids) | {"retmax": str(MOST)})
    listed = read_ids(db, ids)
    if len(listed) > MOST:
        raise BadInput(
            f"{len(listed):,} UIDs are a large job ({MOST:,} at most in one call): "
            "`harvester records` gets the records of a whole harvest."
        )
    pages = [listed[start : start + _PAGE] for start in range(0, len(listed), _PAGE)]
    told: dict[Uid, DocSum] = {}
    for page in await together(_ask_page(at, db, page) for page in pages):
        told |= page
    return told


async def _ask_page(at: Connection, db: str, ids: list[Uid]) -> dict[Uid, DocSum]:
    """Return one for each UID; NCBI answers with UIDs if it is asked for accessions."""
    found = await _ask(at, db, {"id": comma_list(ids)})
    versions = {one.get("accessionversion"): one for one in found.values()}
    none = "left out of the answer"
    return {
        uid: found.get(uid) or versions.get(uid) or {"uid": str(uid), "error": none} for uid in ids
    }


async def _ask(at: Connection, db: str, wanted: dict[str, str]) -> dict[Uid, DocSum]:
    form = {"db": db, "retmode": "json", **wanted}
    found = await at.ask("ESummary", esummary.PATH, form, esummary.read)
    summaries: dict[Uid, DocSum] = {}
    for text, one in found.items():
        uid = int(text) if text.isascii() and text.isdigit() else text
        summaries[uid] = {"uid": text, "error": one} if isinstance(one, str) else one
    return summaries
