"""One question under one permit: one answer, or one typed error. All questions go through here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from harvester.client.backoff import backoff
from harvester.client.reply import check
from harvester.errors import Fault, RateLimited, Refused, RequestFailed
from harvester.eutils import einfo
from harvester.eutils.identity import form_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.client.pacing.limiter import Limiter, Permit
    from harvester.client.transport import Transport
    from harvester.eutils.identity import Fields, Identity
    from harvester.eutils.question import Question
    from harvester.model.answer import Answer
    from harvester.model.batch import Batch

T = TypeVar("T")

ATTEMPTS = 6
"""Of a single question; one about a batch is put again by the engine."""


class Client:
    """Asks a server questions, at its pace.

    Args:
        transport: an open session.
        limiter: gives the permits, and is told of every 429.
        identity: who asks.
    """

    def __init__(self, transport: Transport, limiter: Limiter, identity: Identity) -> None:
        self._transport = transport
        self._limiter = limiter
        self.identity = identity

    @property
    def rate(self) -> float:
        """Requests a second permitted at the moment."""
        return self._limiter.rate

    @property
    def base_url(self) -> str:
        """The folder of the E-utilities that are asked."""
        return self._transport.base_url

    async def permit(self) -> Permit:
        """Wait for leave to ask once."""
        return await self._limiter.acquire()

    async def ask(self, question: Question, batch: Batch, permit: Permit) -> tuple[Answer, bytes]:
        """The answer for a batch, reconciled with it, and as it came.

        Raises:
            RateLimited: the server counted too many requests.
            RequestFailed: no whole answer came; holds what did.
        """
        body = await self._send(question.path, question.body(batch), permit)
        try:
            return question.read(body, batch), body
        except RequestFailed as failure:
            failure.body = body
            raise

    async def ping(self) -> None:
        """See that the E-utilities answer at all: EInfo, which needs no UID, is asked.

        Raises:
            RateLimited, RequestFailed: as for `ask`.
        """
        await self._send(einfo.PATH, b"", await self.permit())

    async def call(
        self, path: str, fields: Fields, read: Callable[[bytes], T], attempts: int = ATTEMPTS
    ) -> T:
        """A single question to any utility, put again after pauses while its failure may pass.

        Args:
            path: of the utility, below the base URL.
            fields: its parameters; those without a value are left out.
            read: makes a value of the body; what it raises of RequestFailed counts as a failure.
            attempts: requests at most, those that the server counts as too many apart.

        Raises:
            Refused: the server refuses us.
            RequestFailed: every attempt failed.
        """
        form, tries = form_of(fields), 0
        while True:
            try:
                return read(await self._send(path, form, await self.permit()))
            except RateLimited:
                continue  # the limiter has slowed down
            except RequestFailed as failure:
                tries += 1
                if failure.fault is Fault.REFUSAL and tries >= min(attempts, 4):
                    raise Refused(f"The server refuses us: {failure.reason}.") from failure
                if tries >= attempts:
                    raise
                await asyncio.sleep((failure.retry_after or 0.0) + backoff(tries))

    async def _send(self, path: str, form: bytes, permit: Permit) -> bytes:
        body = form + b"&" + self.identity.form if form else self.identity.form
        with permit.boarding() as left:
            reply = await self._transport.post(path, body, left)
        try:
            return check(reply)
        except RateLimited as error:
            self._limiter.refused(error.retry_after, error.limit, permit.at)
            raise
