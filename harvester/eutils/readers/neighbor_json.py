"""JSON answers of cmd=neighbor and neighbor_score to columns.

Shapes: NCBI's own XML-to-JSON rules of 2015 (header version 0.3) and answers recorded from 2023
to 2026. Ids are strings today and were numbers in 2015; any Score in an answer makes its links
objects. `links` is absent beside `info` or `ERROR`, `linksetdbs` where nothing is linked.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import orjson
import pyarrow as pa

from harvester.eutils.readers.columns import LinkSets, Unreadable

_SCORED = pa.struct([("id", pa.string()), ("score", pa.int64())])


def read(body: bytes) -> LinkSets:
    """The LinkSets of a JSON answer.

    Raises:
        Unreadable: not JSON, or not of ELink's shape.
    """
    document = _parse(body)
    try:
        return _columns(document)
    except (TypeError, AttributeError, KeyError, ValueError, pa.ArrowException) as error:
        raise Unreadable("JSON of another shape than an ELink answer") from error


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        # NCBI pastes exception text in unescaped; raw line ends are the usual damage.
        try:
            document = json.loads(body.decode("utf-8"), strict=False)
        except ValueError as error:
            raise Unreadable("not valid JSON, or cut short") from error
    if not isinstance(document, dict) or not (document.keys() & {"linksets", "ERROR"}):
        raise Unreadable("JSON, but not an ELink answer")
    return document


def _columns(document: dict[str, Any]) -> LinkSets:
    found = LinkSets(error=_text(document.get("ERROR")))
    lists: list[list[Any]] = []
    for index, linkset in enumerate(document.get("linksets") or ()):
        error = _text(linkset.get("ERROR") or linkset.get("ERRORS"))
        for linksetdb in linkset.get("linksetdbs") or ():
            error = error or _text(linksetdb.get("ERROR"))
            links = linksetdb.get("links")
            if links:
                found.owner.append(index)
                found.dbto.append(linksetdb["dbto"])
                found.linkname.append(linksetdb["linkname"])
                found.counts.append(len(links))
                lists.append(links)
        found.ids.append([str(uid) for uid in linkset.get("ids") or ()])
        found.errors.append(error)
    found.to_uid, found.score = _links(lists)
    return found


def _links(lists: list[list[Any]]) -> tuple[pa.Array, pa.Array | None]:
    if not lists:
        return pa.array([], pa.int64()), None
    flat = list(chain.from_iterable(lists))
    kinds = set(map(type, flat))
    if kinds == {str}:
        return pa.array(flat, pa.string()).cast(pa.int64()), None
    if kinds == {dict}:
        structs = pa.array(flat, _SCORED)
        return structs.field("id").cast(pa.int64()), structs.field("score")
    scores = [link.get("score") if isinstance(link, dict) else None for link in flat]
    uids = [int(link["id"] if isinstance(link, dict) else link) for link in flat]
    return pa.array(uids, pa.int64()), pa.array(scores, pa.int64())


def _text(error: object) -> str | None:
    """ERROR is a text; several become a list named ERRORS."""
    if isinstance(error, list):
        error = "; ".join(map(str, error))
    return str(error) if error else None
