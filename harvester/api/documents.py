"""EFetch of UIDs in memory, or of a set of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.api.arguments import MOST, HistorySet, comma_list, read_ids, set_parameters
from harvester.api.history_sets import members, set_size
from harvester.client.catalogue import together
from harvester.eutils import efetch
from harvester.eutils.efetch_records import records_in

if TYPE_CHECKING:
    from harvester.api.arguments import Uid, Uids
    from harvester.api.connection import Connection
    from harvester.eutils.identity import Fields

_PAGE = 5_000
"""UIDs per request, if a set is too large for one."""


async def ask_documents(at: Connection, db: str, ids: Uids | HistorySet, fields: Fields) -> str:
    """Return what `harvester.Eutils.efetch` returns.

    Args:
        at: connection to the server.
        db: database of the records.
        ids: the records.
        fields: rettype, retmode and more parameters of EFetch.
    """
    if not isinstance(ids, HistorySet):
        return await _ask(at, fields, {"id": comma_list(read_ids(db, ids))})
    names = set_parameters(ids)
    if fields.get("retmax") or fields.get("retstart") or await set_size(at, db, ids) <= MOST:
        return await _ask(at, fields, names)
    # The cap of 10,000 holds for sets of PubMed too, so pages are requested by UID.
    listed: list[Uid] = [uid async for uid in members(at, db, ids)]
    pages = [listed[start : start + _PAGE] for start in range(0, len(listed), _PAGE)]
    texts = await together(_ask(at, fields, {"id": comma_list(page)}) for page in pages)
    return efetch.join(texts)


async def _ask(at: Connection, fields: Fields, ids: Fields) -> str:
    db, rettype, retmode = (str(fields.get(name) or "") for name in ("db", "rettype", "retmode"))

    def read(body: bytes) -> str:
        text = efetch.read(body)
        records_in(text, db, rettype, retmode)  # raises, if the text is cut
        return text

    return await at.ask("EFetch", efetch.PATH, {**fields, **ids}, read)
