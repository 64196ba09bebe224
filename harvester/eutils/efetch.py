"""EFetch: records in one of the formats of their database, as text.

EFetch has no common form in which a record names its UID (NBK25499), so texts are kept as they are;
`efetch_records` counts and names the records in the formats it knows. NCBI leaves unknown UIDs out
of most formats silently (2026-09). Errors come with status 200, too: `Error: F a i l e d  t o
u n d e r s t a n d  i d` as text, `<ERROR>` in XML (recorded 2017 to 2026).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.efetch_records import is_record, records_in
from harvester.eutils.identity import form_of
from harvester.eutils.parsing import error_fault, error_words
from harvester.model.answer import Answer
from harvester.model.row_schemas import DOCUMENTS
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.model.batch import Batch
    from harvester.model.identifiers import Identifiers
    from harvester.model.uids import UidArray

PATH = "efetch.fcgi"

_XML_ERROR = re.compile(r"<ERROR>(.*?)</ERROR>", re.DOTALL)
_IN_PLACE_OF_RECORDS = re.compile(r"\s*(Error(?::|%3A)[^\n]*)")
_AMONG_RECORDS = re.compile(
    r"^(Error: *(?:CEFetchPApplication|F a i l e d|Failed to (?:retrieve|understand))[^\n]*)",
    re.MULTILINE,
)
_HEAD = 4096
"""Characters in which an ERROR stands in XML."""

_XML_PROLOG = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!DOCTYPE[^>\[]*>\s*)?", re.DOTALL)
_XML_ROOT = re.compile(r"<([\w:.-]+)[^>]*>")


def read(body: bytes) -> str:
    """Return the text of an answer.

    Raises:
        RequestFailed: the body is empty, or an error in place of records.
    """
    text = body.decode("utf-8", "replace")
    if not text.strip():
        raise RequestFailed(Fault.BODY, "an empty answer")
    error = _error_in(text)
    if error:
        raise RequestFailed(error_fault(error), printable(error))
    return text


def join(texts: Sequence[str]) -> str:
    """Return the records of several answers as one text; XML documents become one document.

    Args:
        texts: answers in the same format.
    """
    prolog = _XML_PROLOG.match(texts[0])
    assert prolog is not None
    root = _XML_ROOT.match(texts[0], prolog.end())
    if root is None or is_record(root[1]):
        return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)
    start, end = texts[0][: root.end()], f"</{root[1]}>"
    inner = []
    for text in texts:
        begun = text.find(f"<{root[1]}")
        first, last = text.find(">", begun), text.rfind(end)
        if begun < 0 or last < first:  # another root, or none
            return "".join(texts)
        inner.append(text[first + 1 : last])
    return f"{start}{''.join(inner)}{end}\n"


class Documents:
    """Question for records in one of EFetch's formats: one row per request, its text.

    Args:
        db: database of the records.
        form: RETTYPE, RETTYPE/RETMODE or /RETMODE, like `medline`, `fasta/text` or `/xml`.
        identifiers: how UIDs are written.
    """

    path = PATH
    max_batch = None
    schema = DOCUMENTS

    def __init__(self, db: str, form: str, identifiers: Identifiers) -> None:
        self._db = db
        self._rettype, _, self._retmode = form.partition("/")
        self._identifiers = identifiers
        fields = {"db": db, "rettype": self._rettype or None, "retmode": self._retmode or None}
        self._form = form_of(fields)

    def __repr__(self) -> str:
        """For logs and tests."""
        return f"Documents({self._db!r}, '{self._rettype}/{self._retmode}')"

    def body(self, batch: Batch) -> bytes:
        """Return the form of a request, by comma list."""
        return self._form + b"&id=" + ",".join(self._identifiers.texts(batch.uids)).encode()

    def read(self, body: bytes, batch: Batch) -> Answer:
        """Return the text of a batch, and which of its UIDs it holds records of.

        Raises:
            RequestFailed: the body is an error in place of records, or is cut.
        """
        text = read(body) if body.strip() else ""
        answered = self._answered(text, batch)
        listed = pa.ListArray.from_arrays([0, len(answered)], self._identifiers.column(answered))
        columns = [
            constant(self._db, 1),
            listed,
            pa.array([self._rettype], pa.string()),
            pa.array([self._retmode], pa.string()),
            pa.array([text], pa.large_string()),
        ]
        table = pa.Table.from_arrays(columns, names=DOCUMENTS.names)
        return Answer(
            rows=RunLengthRows.from_table(table.slice(0, min(len(answered), 1))),
            answered=answered,
            counts=np.ones(len(answered), np.int64),
            broken={},
            left_out=np.setdiff1d(batch.uids, answered),
            unrequested=0,
        )

    def _answered(self, text: str, batch: Batch) -> UidArray:
        """Return the UIDs of a batch that the text holds records of.

        If a text names fewer records than were asked for, and names them otherwise, then none
        counts: smaller batches will tell which are left out.
        """
        none = batch.uids[:0]
        if not text:
            return none
        records = records_in(text, self._db, self._rettype, self._retmode)
        if records is None:  # a format that is not known
            return batch.uids
        names = set().union(*records)
        stems = {name.partition(".")[0] for name in names}
        named: UidArray = batch.uids[
            np.array(
                [
                    one in names or ("." not in one and one in stems)
                    for one in self._identifiers.texts(batch.uids)
                ],
                bool,
            )
        ]
        if len(named) >= len(records):
            return named
        return batch.uids if len(records) >= len(batch) else none


def _error_in(text: str) -> str:
    """Return the error that stands in place of records, or among them; else an empty text."""
    found = (
        _XML_ERROR.search(text[:_HEAD])
        or _IN_PLACE_OF_RECORDS.match(text)
        or _AMONG_RECORDS.search(text)
    )
    return error_words(found[1]).strip() or "ERROR" if found else ""
