"""EFetch asked about batches: one row a request, the text of all its records.

EFetch has no common form in which a record says whose it is (NBK25499): texts are kept as they
come. Where a form does name its records, those left out are asked for again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.identity import form_of
from harvester.model.answer import Answer
from harvester.model.row_schemas import DOCUMENTS
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.model.batch import Batch
    from harvester.model.identifiers import Identifiers
    from harvester.model.uids import UidArray

PATH = "efetch.fcgi"

_NAMED: Mapping[tuple[str, str], re.Pattern[str]] = {
    ("pubmed", "medline"): re.compile(r"^PMID- *(\d+)", re.MULTILINE),
    ("pubmed", "uilist"): re.compile(r"^(\d+)$", re.MULTILINE),
    ("pubmed", "xml"): re.compile(r"<MedlineCitation\b[^>]*>\s*<PMID\b[^>]*>(\d+)<"),
}
"""What names a record in a rettype, or in a retmode without one."""

_ERROR = re.compile(r"<ERROR>(.*?)</ERROR>", re.DOTALL)


def read(body: bytes) -> str:
    """The text of an answer.

    Raises:
        RequestFailed: it is an ERROR in place of records.
    """
    text = body.decode("utf-8", "replace")
    error = _ERROR.search(text[:4096])
    if error:
        raise RequestFailed(Fault.SERVER, printable(error[1]) or "ERROR")
    return text


class Documents:
    """The records of a database in one of EFetch's forms.

    Args:
        db: of the records.
        form: RETTYPE, RETTYPE/RETMODE or /RETMODE, like `medline`, `fasta/text` or `/xml`.
        identifiers: how UIDs are written.
    """

    path = PATH
    schema = DOCUMENTS

    def __init__(self, db: str, form: str, identifiers: Identifiers) -> None:
        self._db = db
        self._rettype, _, self._retmode = form.partition("/")
        self._identifiers = identifiers
        fields = {"db": db, "rettype": self._rettype or None, "retmode": self._retmode or None}
        self._form = form_of(fields)

    def body(self, batch: Batch) -> bytes:
        """A comma list."""
        return self._form + b"&id=" + ",".join(self._identifiers.texts(batch.uids)).encode()

    def read(self, body: bytes, batch: Batch) -> Answer:
        """The text of a batch.

        Raises:
            RequestFailed: it is an ERROR in place of records.
        """
        text = read(body)
        answered = self._named(text, batch)
        left_out = np.setdiff1d(batch.uids, answered)
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
            left_out=left_out,
            unrequested=0,
        )

    def _named(self, text: str, batch: Batch) -> UidArray:
        """The UIDs of a batch that the text holds records of; all, where it does not say."""
        pattern = _NAMED.get((self._db, self._rettype or self._retmode))
        if pattern is None:
            return batch.uids
        found = set(pattern.findall(text))
        texts = self._identifiers.texts(batch.uids)
        named: UidArray = batch.uids[np.array([one in found for one in texts], bool)]
        return named
