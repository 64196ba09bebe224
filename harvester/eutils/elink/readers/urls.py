"""cmd=llinks, llinkslib and prlinks: the LinkOut URLs of each id and their providers.

Shapes: recorded XML of 2008 to 2025 and NCBI's samples of JSON. A Provider may lack its Url
(recorded in 2025, against the DTD); a URL may occur twice, under two providers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harvester.eutils.elink.document import (
    child,
    error_in,
    objects,
    text,
    texts,
)  # fmt: skip
from harvester.eutils.elink.entries import Entry, readers, unlisted
from harvester.model.row_schemas import URL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.eutils.elink.document import Object


def _entries(linksets: list[Object]) -> Iterator[Entry]:
    for linkset in linksets:
        error = error_in(linkset)
        sets = objects(linkset, "idurllist")
        for one in sets:
            uid = text(one, "id")
            objurls = objects(one, "objurls")
            own = error or error_in(one) or next(filter(None, map(error_in, objurls)), None)
            yield Entry([] if uid is None else [uid], own, [_row(objurl) for objurl in objurls])
        if not sets:
            yield unlisted(texts(linkset, "ids"), error, "its IdUrlList")


def _row(objurl: Object) -> dict[str, Any]:
    provider = child(objurl, "provider")
    return {
        "url": text(objurl, "url"),
        "iconurl": text(objurl, "iconurl"),
        "linkname": text(objurl, "linkname"),
        "subject_types": texts(objurl, "subjecttypes"),
        "categories": texts(objurl, "categories"),
        "attributes": texts(objurl, "attributes"),
        "provider_name": text(provider, "name"),
        "provider_abbr": text(provider, "nameabbr"),
        "provider_id": text(provider, "id"),
        "provider_url": text(provider, "url"),
    }


read_json, read_xml = readers(URL_COLUMNS, _entries)
