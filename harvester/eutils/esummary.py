"""ESummary: the document summaries of UIDs.

Shapes as recorded from 2012 to 2023: a UID that NCBI does not know has an `error` in place of its
summary; UIDs asked for twice repeat their members; a garbage id, an unknown database or an empty
list is an error for all, of which there are three spellings.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import orjson

from harvester.errors import Fault, RequestFailed, printable

PATH = "esummary.fcgi"

DocSum: TypeAlias = dict[str, Any]


def read(body: bytes) -> dict[str, DocSum | str]:
    """UID → its summary, or the text of its error, in the order of the answer.

    Args:
        body: an answer with `retmode=json`.

    Raises:
        RequestFailed: it is no whole answer of ESummary, or says an error for all.
    """
    document = _document(body)
    result = document.get("result")
    found = _summaries(result) if isinstance(result, dict) else {}
    if not found:
        for member in ("error", "ERROR", "esummaryresult"):
            if document.get(member):
                raise RequestFailed(Fault.SERVER, _told(document[member]))
    if not isinstance(result, dict):
        raise RequestFailed(Fault.BODY, "ESummary gave no summaries")
    return found


def _document(body: bytes) -> DocSum:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestFailed(Fault.BODY, "ESummary gave no answer in JSON") from error
    if not isinstance(document, dict):
        raise RequestFailed(Fault.BODY, "ESummary gave JSON of another shape")
    return document


def _summaries(result: DocSum) -> dict[str, DocSum | str]:
    uids = result.get("uids")
    if not isinstance(uids, list):
        raise RequestFailed(Fault.BODY, "ESummary lists no UIDs")
    found: dict[str, DocSum | str] = {}
    for uid in map(str, uids):
        summary = result.get(uid)
        if isinstance(summary, dict):
            error = summary.get("error")
            found[uid] = _told(error) if error else summary
        elif summary is not None:
            raise RequestFailed(Fault.BODY, "ESummary gave summaries of another shape")
    return found


def _told(error: object) -> str:
    """An error's text; several are in a list."""
    texts = error if isinstance(error, list) else [error]
    return printable("; ".join(map(str, texts)))
