"""One question under one permit: one answer, or one typed error. All questions go through here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import RateLimited
from harvester.eutils import einfo, elink
from harvester.eutils.reply import check

if TYPE_CHECKING:
    from harvester.eutils.elink import Elink
    from harvester.eutils.reconcile import Answer
    from harvester.limiter import Limiter, Permit
    from harvester.transport import Transport
    from harvester.verdict import Batch


class Client:
    """Asks a server questions, at its pace.

    Args:
        transport: an open session.
        limiter: gives the permits, and is told of every 429.
        question: what to ask about each batch.
    """

    def __init__(self, transport: Transport, limiter: Limiter, question: Elink) -> None:
        self._transport = transport
        self._limiter = limiter
        self._question = question

    @property
    def rate(self) -> float:
        """Requests a second permitted at the moment."""
        return self._limiter.rate

    async def permit(self) -> Permit:
        """Wait for leave to ask once."""
        return await self._limiter.acquire()

    async def ask(self, batch: Batch, permit: Permit) -> tuple[Answer, int]:
        """The answer for a batch, reconciled with it, and its size in bytes.

        Raises:
            RateLimited: the server counted too many requests.
            RequestFailed: no whole answer came.
        """
        form = self._question.body(batch.uids, batch.retmode)
        body = await self._send(elink.PATH, form, permit)
        return self._question.read(body, batch.uids, batch.retmode), len(body)

    async def ping(self) -> None:
        """See that the E-utilities answer at all: EInfo, which needs no UID, is asked.

        Raises:
            RateLimited, RequestFailed: as for `ask`.
        """
        await self._send(einfo.PATH, self._question.identity, await self.permit())

    async def databases(self) -> list[str]:
        """The names of all databases, by EInfo.

        Raises:
            RateLimited, RequestFailed: as for `ask`.
        """
        form = b"retmode=json&" + self._question.identity
        return einfo.read_databases(await self._send(einfo.PATH, form, await self.permit()))

    async def links(self, db: str) -> dict[str, str]:
        """The linknames of a database and where each leads, by EInfo; none if it knows no such.

        Raises:
            RateLimited, RequestFailed: as for `ask`.
        """
        form = b"retmode=json&db=%b&%b" % (db.encode(), self._question.identity)
        return einfo.read_links(await self._send(einfo.PATH, form, await self.permit()))

    async def _send(self, path: str, form: bytes, permit: Permit) -> bytes:
        with permit.boarding() as left:
            reply = await self._transport.post(path, form, left)
        try:
            return check(reply)
        except RateLimited as error:
            self._limiter.refused(error.retry_after, error.limit, permit.at)
            raise
