"""One question under one permit: one answer, or one typed error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import RequestFailed
from harvester.eutils import elink
from harvester.eutils.reply import check

if TYPE_CHECKING:
    from harvester.eutils.elink import Elink
    from harvester.eutils.reconcile import Answer
    from harvester.limiter import Permit
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

    async def ask(self, batch: Batch, permit: Permit) -> tuple[Answer, int]:
        """The answer for a batch, reconciled with it, and its size in bytes.

        Raises:
            RateLimited: the server counted too many requests.
            RequestFailed: no whole answer came.
        """
        form = self._question.body(batch.uids, batch.retmode)
        body = await self._send(elink.PATH, form, permit)
        return self._question.read(body, batch.uids, batch.retmode), len(body)

    async def is_alive(self, permit: Permit) -> bool:
        """Whether the E-utilities answer at all: EInfo, which needs no UID, is asked."""
        try:
            await self._send("einfo.fcgi", self._question.identity, permit)
        except RequestFailed:
            return False
        return True

    async def _send(self, path: str, form: bytes, permit: Permit) -> bytes:
        with permit.boarding() as left:
            return check(await self._transport.post(path, form, left))
