"""LinkSets as NCBI's JSON: minified, ids as strings, scores as integers, errors pasted in raw.

Shapes from recorded answers of 2023 to 2026 (neighbor, neighbor_score, neighbor_history) and the
XSLT that NCBI published in 2015 (the other cmds).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harvester.emulator.answers.linksets import LinkInfo, LinkSet, LinkSetDb, ObjUrl

HEADER = b'{"header":{"type":"elink","version":"0.3"},"linksets":['


def elink_json(linksets: Sequence[LinkSet], error: str = "") -> bytes:
    """Return the body of an ELink answer with `retmode=json`.

    Args:
        linksets: in the order of the answer.
        error: text of the ERROR beside the LinkSets; empty is none.
    """
    body = HEADER + b",".join(map(_linkset, linksets)) + b"]"
    if error:
        body += b',"ERROR":' + raw_string(error)
    return body + b"}\n"


def raw_string(text: str) -> bytes:
    """Return a JSON string with quotes escaped but line breaks left as they are.

    This is invalid JSON. NCBI sends it for the text of a C++ exception (recorded in 2023).
    """
    return b'"' + text.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def _linkset(linkset: LinkSet) -> bytes:
    members = []
    if linkset.dbfrom is not None:
        members.append(b'"dbfrom":' + orjson.dumps(linkset.dbfrom))
    if linkset.ids is not None:
        members.append(b'"ids":' + orjson.dumps(linkset.ids))
    if linkset.dbs:
        members.append(b'"linksetdbs":[' + b",".join(map(_linksetdb, linkset.dbs)) + b"]")
    if linkset.histories:
        histories = [
            {"dbto": h.dbto, "linkname": h.linkname, "querykey": h.query_key}
            for h in linkset.histories
        ]
        members.append(b'"linksetdbhistories":' + orjson.dumps(histories))
    if linkset.webenv:
        members.append(b'"webenv":' + orjson.dumps(linkset.webenv))
    if linkset.checks:
        name = linkset.check.lower()
        ids = [{"value": uid, name: answer} for uid, answer in linkset.checks]
        members.append(b'"idchecklist":' + orjson.dumps({"ids": ids}))
    if linkset.infos:
        idlinksets = [{"id": uid, "linkinfos": _linkinfos(infos)} for uid, infos in linkset.infos]
        members.append(b'"idchecklist":' + orjson.dumps({"idlinksets": idlinksets}))
    if linkset.urls:
        members.append(b'"idurllist":' + orjson.dumps([_urlset(*urls) for urls in linkset.urls]))
    if len(linkset.errors) == 1:
        members.append(b'"ERROR":' + raw_string(linkset.errors[0]))
    elif linkset.errors:
        members.append(b'"ERRORS":[' + b",".join(map(raw_string, linkset.errors)) + b"]")
    return b"{" + b",".join(members) + b"}"


def _linksetdb(db: LinkSetDb) -> bytes:
    start = b'{"dbto":"%b","linkname":"%b",' % (db.dbto.encode(), db.linkname.encode())
    if db.error:
        return start + b'"ERROR":' + raw_string(db.error) + b"}"
    if db.info or db.links is None:
        return start + b'"info":' + orjson.dumps(db.info) + b"}"
    if db.scores is None:
        return start + b'"links":' + _strings(db.links) + b"}"
    return start + b'"links":' + _scored(db.links, db.scores) + b"}"


def _strings(links: np.ndarray[Any, Any] | list[str]) -> bytes:
    """Return `["1","2"]`, by way of `[1,2]`: no Python object per link."""
    if isinstance(links, list):
        return orjson.dumps(links)
    numbers = orjson.dumps(np.ascontiguousarray(links), option=orjson.OPT_SERIALIZE_NUMPY)
    if not len(links):
        return numbers
    return b'["' + numbers[1:-1].replace(b",", b'","') + b'"]'


def _scored(links: np.ndarray[Any, Any] | list[str], scores: np.ndarray[Any, Any]) -> bytes:
    """Return `[{"id":"1","score":5},...]`, by way of `[[1,5],...]`."""
    if isinstance(links, list):
        pairs = zip(links, scores.tolist(), strict=True)
        return orjson.dumps([{"id": uid, "score": score} for uid, score in pairs])
    if not len(links):
        return b"[]"
    numbers = orjson.dumps(np.column_stack((links, scores)), option=orjson.OPT_SERIALIZE_NUMPY)
    inner = numbers[2:-2].replace(b"],[", b";").replace(b",", b'","score":')
    return b'[{"id":"' + inner.replace(b";", b'},{"id":"') + b"}]"


def _linkinfos(infos: Iterable[LinkInfo]) -> list[dict[str, str]]:
    return [
        {"dbto": info.dbto, "linkname": info.linkname}
        | {"menutag": info.menutag, "htmltag": info.htmltag}
        | ({"url": info.url} if info.url else {})
        | {"priority": info.priority}
        for info in infos
    ]


def _urlset(uid: str, objurls: list[ObjUrl]) -> dict[str, Any]:
    if not objurls:
        return {"id": uid, "info": "No links"}
    return {"id": uid, "objurls": [_objurl(objurl) for objurl in objurls]}


def _objurl(objurl: ObjUrl) -> dict[str, Any]:
    provider = objurl.provider
    described: dict[str, Any] = {"name": provider.name, "nameabbr": provider.abbreviation}
    described["id"] = provider.id
    if provider.url:
        described["url"] = {"value": provider.url, "lng": "EN"}
    members: dict[str, Any] = {"url": {"value": objurl.url, "lng": "EN"}}
    if objurl.iconurl:
        members["iconurl"] = {"value": objurl.iconurl, "lng": "EN"}
    if objurl.linkname:
        members["linkname"] = objurl.linkname
    members["subjecttypes"] = list(objurl.subject_types)
    members["categories"] = list(objurl.categories)
    members["attributes"] = list(objurl.attributes)
    return members | {"provider": described}
