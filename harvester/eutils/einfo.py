"""EInfo: which databases there are, and which links start from one.

The shape of its JSON has changed: `dbinfo` was an object in 2018 and is an array of one in 2026.
"""

from __future__ import annotations

from typing import Any

import orjson

from harvester.errors import Fault, RequestFailed

PATH = "einfo.fcgi"


def read_databases(body: bytes) -> list[str]:
    """The names in a list of databases.

    Raises:
        RequestFailed: it is no such list.
    """
    names = _result(body).get("dblist")
    if not isinstance(names, list) or not names:
        raise RequestFailed(Fault.BODY, "EInfo lists no databases")
    return [str(name) for name in names]


def read_links(body: bytes) -> dict[str, str]:
    """Linkname → database it leads to; none where EInfo does not know the database.

    Raises:
        RequestFailed: it is no answer of EInfo.
    """
    found = _result(body).get("dbinfo")
    if isinstance(found, list):
        found = found[0] if found else None
    links = found.get("linklist") if isinstance(found, dict) else None
    if not isinstance(links, list):
        return {}
    return {str(link["name"]): str(link["dbto"]) for link in links if isinstance(link, dict)}


def _result(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)["einforesult"]
        return dict(found)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise RequestFailed(Fault.BODY, "EInfo gave no answer in JSON") from error
