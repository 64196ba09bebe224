"""Interface of a utility to the engine: makes requests, reads answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from harvester.model.answer import Answer
    from harvester.model.batch import Batch


class Question(Protocol):
    """A kind of request about batches of UIDs, one request per batch."""

    @property
    def path(self) -> str:
        """File name of the utility, below the base URL."""

    @property
    def schema(self) -> pa.Schema:
        """Schema of the rows that answers become."""

    @property
    def max_batch(self) -> int | None:
        """UIDs per request that the utility accepts at most; None if no such limit is known."""

    def body(self, batch: Batch) -> bytes:
        """Return the form of one request, without tool, email and API key."""

    def read(self, body: bytes, batch: Batch) -> Answer:
        """Return the answer, matched with the batch.

        Raises:
            RequestFailed: the body is not a whole answer, or holds an ERROR about all of it.
        """
