"""Reader of all JSON answers of cmd=neighbor and neighbor_score.

Shapes: NCBI's own XML-to-JSON rules of 2015 (header version 0.3) and answers recorded from 2023
to 2026. Ids are strings today and were numbers in 2015; any Score in an answer makes its links
objects. `links` is absent beside `info` or `ERROR`, `linksetdbs` if nothing is linked.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import pyarrow as pa

from harvester.eutils.elink.linksets import LinkSets, ToIds, uid_array
from harvester.eutils.elink.readers import fast_json
from harvester.eutils.parsing import Unreadable, json_answer

_MISSHAPEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def read(body: bytes, ids: ToIds = uid_array) -> LinkSets:
    """Return the LinkSets of a JSON answer.

    Raises:
        Unreadable: not JSON, or not of ELink's shape.
    """
    if ids is uid_array and (usual := fast_json.read(body)) is not None:
        return usual
    document = json_answer(body)
    try:
        return _columns(document, ids)
    except Unreadable:
        raise
    except (*_MISSHAPEN, pa.ArrowException) as error:
        raise Unreadable("JSON of another shape than an ELink answer") from error


def _columns(document: dict[str, Any], ids: ToIds) -> LinkSets:
    found = LinkSets(error=_text(document.get("ERROR")))
    lists: list[list[Any]] = []
    for index, linkset in enumerate(document.get("linksets") or ()):
        error = _text(linkset.get("ERROR") or linkset.get("ERRORS"))
        for linksetdb in linkset.get("linksetdbs") or ():
            error = error or _text(linksetdb.get("ERROR"))
            links = linksetdb.get("links")
            if links:
                dbto, linkname = linksetdb["dbto"], linksetdb["linkname"]
                if not (type(links) is list and type(dbto) is type(linkname) is str):
                    raise TypeError("a LinkSetDb of another shape")
                found.owner.append(index)
                found.dbto.append(dbto)
                found.linkname.append(linkname)
                found.counts.append(len(links))
                lists.append(links)
        found.ids.append([str(uid) for uid in linkset.get("ids") or ()])
        found.errors.append(error)
    found.to_uid, found.score = _links(lists, ids)
    return found


def _links(lists: list[list[Any]], ids: ToIds) -> tuple[pa.Array, pa.Array | None]:
    flat = list(chain.from_iterable(lists))
    if not flat or not any(isinstance(links[0], dict) for links in lists):
        return ids(_texts(flat)), None
    links = [link if isinstance(link, dict) else {"id": link} for link in flat]
    scores = pa.array([link.get("score") for link in links])
    if scores.type not in (pa.int64(), pa.null()):  # a cast would cut a fraction off
        raise TypeError("scores that are not whole numbers")
    return ids(_texts([link["id"] for link in links])), scores.cast(pa.int64())


def _texts(ids: list[Any]) -> list[str]:
    """Return ids as texts; in 2015 they were numbers."""
    return list(map(str, ids)) if ids and isinstance(ids[0], int) else ids


def _text(error: object) -> str | None:
    """Return an ERROR as text; several are a list named ERRORS."""
    if isinstance(error, list):
        error = "; ".join(map(str, error))
    return str(error) if error else None
