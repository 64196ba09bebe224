"""ESummary: the document summaries of UIDs.

Shapes as recorded from 2008 to 2026: a UID that NCBI does not know has an `error` in place of its
summary; UIDs requested twice repeat their members; a garbage id, an unknown database, an empty or
too long list is an error about all, of which there are three spellings.

JSON is requested, because it shows which values are numbers. A record that breaks it beyond repair
(see `esummary_json`) is requested again alone, and then in XML.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import orjson
import pyarrow as pa

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.esummary_json import NOT_VALID, read_json
from harvester.eutils.esummary_xml import read_xml
from harvester.eutils.identity import form_of
from harvester.eutils.parsing import unreadable
from harvester.model.answer import Answer
from harvester.model.row_schemas import SUMMARIES
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from harvester.model.batch import Batch
    from harvester.model.identifiers import Identifiers

PATH = "esummary.fcgi"

MOST = 500
"""UIDs per request in JSON (NCBI's error text: "Maximum number of UIDs is 500 for JSON format
output", recorded 2020 to 2026)."""

DocSum: TypeAlias = dict[str, Any]
"""A summary, as ESummary's JSON has it."""

_TOO_MANY = re.compile(r"too many uids", re.IGNORECASE)

_CUTS = 3
"""Number of cut answers for one UID that are blamed on the connection; then its record is at fault
and is requested in XML. The fields of a record in XML differ slightly from those in JSON."""


class Summaries:
    """Request for the summaries of records: one row per record, its DocSum as JSON.

    Args:
        db: database of the records.
        identifiers: how UIDs are written.
    """

    path = PATH
    schema = SUMMARIES
    max_batch = MOST

    def __init__(self, db: str, identifiers: Identifiers) -> None:
        self._db = db
        self._identifiers = identifiers

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"Summaries({self._db!r})"

    def body(self, batch: Batch) -> bytes:
        """Return the form of a request, by comma list: each DocSum names its UID."""
        return (
            form_of(form(self._db, batch.retmode))
            + b"&id="
            + ",".join(self._identifiers.texts(batch.uids)).encode()
        )

    def read(self, body: bytes, batch: Batch) -> Answer:
        """Return the DocSums of a batch.

        Raises:
            RequestFailed: the body is not a whole answer, or holds an error about all of it.
        """
        try:
            found = read(body)
        except RequestFailed as failure:  # a record may break the whole answer
            failure.unreadable = batch.tries >= _CUTS and len(batch.uids) == 1
            raise
        if batch.tries and found and all(one == NOT_VALID for one in found.values()):
            raise unreadable(NOT_VALID)
        wanted = dict(zip(self._identifiers.texts(batch.uids), batch.uids.tolist(), strict=True))
        unrequested = 0
        records: dict[int, str] = {}
        broken: dict[int, str] = {}
        for text, record in found.items():
            uid = wanted.get(text)
            if uid is None and isinstance(record, dict):  # requested by accession, named by UID
                version = str(record.get("accessionversion"))
                uid = wanted.get(version, wanted.get(version.partition(".")[0]))
            if uid is None:
                unrequested += 1
                continue
            if isinstance(record, str):
                broken[uid] = record
            else:
                records[uid] = orjson.dumps(record).decode()
        answered = np.array(sorted(records), np.int64)
        columns = [
            constant(self._db, len(answered)),
            self._identifiers.column(answered),
            pa.array([records[uid] for uid in answered.tolist()], pa.string()),
        ]
        seen = np.array(sorted({*records, *broken}), np.int64)
        return Answer(
            rows=RunLengthRows.from_table(pa.Table.from_arrays(columns, names=SUMMARIES.names)),
            answered=answered,
            counts=np.ones(len(answered), np.int64),
            broken=broken,
            left_out=np.setdiff1d(batch.uids, seen),
            unrequested=unrequested,
            owner=answered,
        )


def form(db: str, retmode: str) -> dict[str, str]:
    """Return the fields of a request without its UIDs.

    Args:
        db: database of the records.
        retmode: `json` or `xml`; version 2.0 of the XML has the fields of the JSON.
    """
    return {"db": db, "retmode": retmode} | ({"version": "2.0"} if retmode == "xml" else {})


def read(body: bytes) -> dict[str, DocSum | str]:
    """Return the summary of each UID, or the text of its error, in the order of the answer.

    Args:
        body: an answer in JSON or in either form of XML.

    Raises:
        RequestFailed: the body is not a whole answer of ESummary, or holds an error about all of
            it: TOO_LARGE if it names too many UIDs, SERVER otherwise.
    """
    if body.lstrip()[:1] == b"<":
        pairs, errors = read_xml(body)
        if not pairs and errors:
            raise _failure("; ".join(errors))
        return {uid: _printable(record) for uid, record in pairs}
    document = read_json(body)
    result = document.get("result")
    found = _summaries(result) if isinstance(result, dict) else {}
    if not found:
        for member in ("error", "ERROR", "esummaryresult"):
            if document.get(member):
                raise _failure(_error_text(document[member]))
    if not isinstance(result, dict):
        raise RequestFailed(Fault.BODY, "ESummary gave no summaries")
    return found


def _failure(error: str) -> RequestFailed:
    fault = Fault.TOO_LARGE if _TOO_MANY.search(error) else Fault.SERVER
    return RequestFailed(fault, printable(error))


def _summaries(result: DocSum) -> dict[str, DocSum | str]:
    uids = result.get("uids")
    if not isinstance(uids, list):
        raise RequestFailed(Fault.BODY, "ESummary lists no UIDs")
    found: dict[str, DocSum | str] = {}
    for uid in map(str, uids):
        summary = result.get(uid)
        if isinstance(summary, dict):
            error = summary.get("error")
            found[uid] = _error_text(error) if error else summary
            if str(summary.get("uid", uid)) != uid:
                found[uid] = printable(f"answered as {summary['uid']}")
        elif summary is not None:
            found[uid] = NOT_VALID
    return found


def _printable(record: DocSum | str) -> DocSum | str:
    return printable(record) if isinstance(record, str) else record


def _error_text(error: object) -> str:
    """Return the text of an error; several are in a list."""
    if isinstance(error, dict):
        error = error.get("ERROR") or error.get("error") or error
    texts = error if isinstance(error, list) else [error]
    return printable("; ".join(map(str, texts)))
