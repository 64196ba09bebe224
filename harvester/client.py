"""One question, one answer or one typed error. Whoever asks has taken a permit before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import RequestFailed
from harvester.eutils import elink
from harvester.eutils.reply import check

if TYPE_CHECKING:
    from harvester.eutils.elink import Elink
    from harvester.eutils.reconcile import Answer
    from harvester.transport import Transport
    from harvester.verdict import Batch


class Client:
    """Asks a server ELink's questions.

    Args:
        transport: an open session.
        question: what to ask about each batch.
    """

    def __init__(self, transport: Transport, question: Elink) -> None:
        self._transport = transport
        self._question = question

    async def ask(self, batch: Batch) -> tuple[Answer, int]:
        """The answer for a batch, reconciled with it, and its size in bytes.

        Raises:
            RateLimited: the server counted too many requests.
            RequestFailed: no whole answer came.
        """
        form = self._question.body(batch.uids, batch.retmode)
        body = check(await self._transport.post(elink.PATH, form))
        return self._question.read(body, batch.uids, batch.retmode), len(body)

    async def is_alive(self) -> bool:
        """Whether the E-utilities answer at all: EInfo, which needs no UID, is asked."""
        try:
            check(await self._transport.post("einfo.fcgi", self._question.identity))
        except RequestFailed:
            return False
        return True
