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
from harvester.eutils.efetch_records import records_in
from harvester.eutils.efetch_xml import is_record
from harvester.eutils.identity import form_of
from harvester.eutils.parsing import error_fault, error_words
from harvester.model.answer import Answer
from harvester.model.row_schemas import DOCUMENTS
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harvester.eutils.efetch_records import Record
    from harvester.model.batch import Batch
    from harvester.model.identifiers import Identifiers
    from harvester.model.uids import UidArray

PATH = "efetch.fcgi"

_XML_ERROR = re.compile(r"<ERROR>(.*?)</ERROR>", re.DOTALL)
_ERROR_DOCUMENT = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?<error\b[^>]*>(.*)|\s*\{\s*\"error\"\s*:\s*\"([^\"]*)",
    re.DOTALL | re.IGNORECASE,
)
_IN_PLACE_OF_RECORDS = re.compile(r"[\s+]*(Error(?::|%3A)[^\n]*)")
_AMONG_RECORDS = re.compile(
    r"^((?:Error: *(?:CEFetchPApplication|F a i l e d|Failed to (?:retrieve|understand))"
    r"|(?:\d+\. )?id: \d+ Error occurred)[^\n]*)",
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
    """Request for records in one of EFetch's formats: one row per record, its text.

    For formats whose records are not recognised: one row per request.

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
        """Return a short text for logs and tests."""
        return f"Documents({self._db!r}, '{self._rettype}/{self._retmode}')"

    def body(self, batch: Batch) -> bytes:
        """Return the form of a request, by comma list."""
        return self._form + b"&id=" + ",".join(self._identifiers.texts(batch.uids)).encode()

    def read(self, body: bytes, batch: Batch) -> Answer:
        """Return the text of a batch, and the UIDs whose records it holds.

        Raises:
            RequestFailed: the body is an error in place of records, or is cut.
        """
        text = read(body) if body.strip() else ""
        records = records_in(text, self._db, self._rettype, self._retmode) if text else []
        if records is None:  # an unknown format
            return self._answer(batch.uids, [text], batch, of_all=True)
        answered, texts = self._match(records, batch)
        if texts is None:
            return self._answer(answered, [text], batch, of_all=True)
        return self._answer(answered, texts, batch)

    def _match(self, records: list[Record], batch: Batch) -> tuple[UidArray, list[str] | None]:
        """Return the UIDs of a batch whose records a text holds, and the records of each.

        If a text names fewer records than requested, and by other names, none counts: smaller
        batches will show which are left out. If it has as many as requested, records of other names
        belong to the other UIDs, in the order of the request: EFetch names sequences by accession,
        also if requested by GI.

        If a text names fewer records than were asked for, and names them otherwise, then none
        counts: smaller batches will tell which are left out. If it has as many as were asked for,
        records of other names are those of the other UIDs, in the order of the request: EFetch
        names sequences by accession, also where they were asked for by GI.

        Returns:
            UIDs, ascending, and the text of each; None, if it is unknown which record is whose.
        """
        uids = batch.uids.tolist()
        texts = dict(zip(self._identifiers.texts(batch.uids), uids, strict=True))
        by_name = dict(texts)
        for text, uid in texts.items():
            if "." not in text:
                by_name.setdefault(f"{text}.", uid)
        owners = [_owners(record.names, by_name) for record in records]
        named = set().union(*owners)
        if len(named) < len(records):
            if len(records) < len(uids):
                return batch.uids[:0], None
            left = [uid for uid in uids if uid not in named]
            nameless = [number for number, owner in enumerate(owners) if not owner]
            if any(map(str.isdecimal, set().union(*(records[one].names for one in nameless)))):
                return batch.uids[:0], None  # records of other UIDs
            if len(left) != len(nameless):
                return batch.uids, None
            for uid, number in zip(left, nameless, strict=True):
                owners[number] = {uid}
        found: dict[int, list[str]] = {}
        for record, owner in zip(records, owners, strict=True):
            for uid in owner:
                found.setdefault(uid, []).append(record.text)
        answered = np.array(sorted(found), batch.uids.dtype)
        return answered, [
            one if not more else join([one, *more])
            for one, *more in (found[uid] for uid in answered.tolist())
        ]

    def _answer(
        self, answered: UidArray, texts: list[str], batch: Batch, *, of_all: bool = False
    ) -> Answer:
        """Return the answer with one row per UID, or with one row for all of them."""
        rows = len(answered) if not of_all else min(len(answered), 1)
        offsets = [0, len(answered)] if of_all else list(range(len(answered) + 1))
        columns = [
            constant(self._db, rows),
            pa.ListArray.from_arrays(offsets, self._identifiers.column(answered)).slice(0, rows),
            pa.array([self._rettype] * rows, pa.string()),
            pa.array([self._retmode] * rows, pa.string()),
            pa.array(texts[:rows], pa.large_string()),
        ]
        table = pa.Table.from_arrays(columns, names=DOCUMENTS.names)
        return Answer(
            rows=RunLengthRows.from_table(table),
            answered=answered,
            counts=np.ones(len(answered), np.int64),
            broken={},
            left_out=np.setdiff1d(batch.uids, answered),
            unrequested=0,
            owner=None if of_all else answered,
        )


def _owners(names: set[str], by_name: Mapping[str, int]) -> set[int]:
    """Return the UIDs that a record names, accessions with or without their version."""
    stems = {f"{name.partition('.')[0]}." for name in names}
    return {by_name[name] for name in names | stems if name in by_name}


def _error_in(text: str) -> str:
    """Return the error in place of records, or among them; else an empty text."""
    found = (
        _XML_ERROR.search(text[:_HEAD])
        or _ERROR_DOCUMENT.match(text)
        or _IN_PLACE_OF_RECORDS.match(text)
        or _AMONG_RECORDS.search(text)
    )
    return error_words(found[found.lastindex or 0]).strip() or "ERROR" if found else ""
