"""What one request asks, and what becomes of its answer: the face that every utility shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from harvester.model.answer import Answer
    from harvester.model.batch import Batch


class Question(Protocol):
    """A question about batches of UIDs, one request each."""

    @property
    def path(self) -> str:
        """The program of the utility, below the base URL."""

    @property
    def schema(self) -> pa.Schema:
        """Of the rows that answers become."""

    def body(self, batch: Batch) -> bytes:
        """The form of one request, without the fields that say who asks."""

    def read(self, body: bytes, batch: Batch) -> Answer:
        """The answer, reconciled with what was asked.

        Raises:
            RequestFailed: the body is not a whole answer, or says ERROR for all.
        """
