"""ESummary: the document summaries of UIDs.

Shapes as recorded from 2012 to 2023: a UID that NCBI does not know has an `error` in place of its
summary; UIDs asked for twice repeat their members; a garbage id, an unknown database or an empty
list is an error for all, of which there are three spellings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import orjson
import pyarrow as pa

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.identity import form_of
from harvester.model.answer import Answer
from harvester.model.row_schemas import SUMMARIES
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from harvester.model.batch import Batch
    from harvester.model.identifiers import Identifiers

PATH = "esummary.fcgi"

DocSum: TypeAlias = dict[str, Any]


class Summaries:
    """The DocSums of a database.

    Args:
        db: of the records.
        identifiers: how UIDs are written.
    """

    path = PATH
    schema = SUMMARIES

    def __init__(self, db: str, identifiers: Identifiers) -> None:
        self._db = db
        self._identifiers = identifiers
        self._form = form_of({"db": db, "retmode": "json"})

    def body(self, batch: Batch) -> bytes:
        """A comma list: each DocSum says whose it is. JSON is the form that has all fields."""
        return self._form + b"&id=" + ",".join(self._identifiers.texts(batch.uids)).encode()

    def read(self, body: bytes, batch: Batch) -> Answer:
        """The DocSums of a batch.

        Raises:
            RequestFailed: the body is not a whole answer, or says ERROR for all.
        """
        found = read(body)
        texts = self._identifiers.texts(batch.uids)
        wanted = dict(zip(texts, batch.uids.tolist(), strict=True))
        unrequested = 0
        records: dict[int, str] = {}
        broken: dict[int, str] = {}
        for text, record in found.items():
            uid = wanted.get(text)
            if uid is None and isinstance(record, dict):  # asked for by accession, told by UID
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
                raise RequestFailed(Fault.SERVER, _error_text(document[member]))
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
            found[uid] = _error_text(error) if error else summary
        elif summary is not None:
            raise RequestFailed(Fault.BODY, "ESummary gave summaries of another shape")
    return found


def _error_text(error: object) -> str:
    """An error's text; several are in a list."""
    texts = error if isinstance(error, list) else [error]
    return printable("; ".join(map(str, texts)))
