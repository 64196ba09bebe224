"""ESummary asked about batches: one row a record, its DocSum as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa

from harvester.eutils import esummary
from harvester.eutils.identity import form_of
from harvester.model.answer import Answer
from harvester.model.row_schemas import SUMMARIES
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from harvester.eutils.identity import Identity
    from harvester.model.batch import Batch
    from harvester.model.identifiers import Identifiers


class Summaries:
    """The DocSums of a database.

    Args:
        db: of the records.
        identity: knows what must not be repeated of an ERROR.
        identifiers: how UIDs are written.
    """

    path = esummary.PATH
    schema = SUMMARIES

    def __init__(self, db: str, identity: Identity, identifiers: Identifiers) -> None:
        self._db = db
        self._identity = identity
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
        found = esummary.read(body)
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
                broken[uid] = self._identity.told(record)
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
