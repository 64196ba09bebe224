"""One request under one permit: one answer or one typed error.

Every request of the program goes through `Client`. It also redacts the API key: nothing that
leaves it, be it an answer, a value or an error, holds the key.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from harvester.client.backoff import backoff
from harvester.client.redaction import Redactor
from harvester.client.reply import Reply, check
from harvester.errors import FOR_ALL, Fault, RateLimited, RequestFailed, refused_by
from harvester.eutils import einfo
from harvester.eutils.identity import form_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.client.pacing.limiter import Limiter, Permit
    from harvester.client.pacing.redis_limiter import RedisLimiter
    from harvester.client.transport import Transport
    from harvester.eutils.identity import Fields, Identity
    from harvester.eutils.question import Question
    from harvester.model.answer import Answer
    from harvester.model.batch import Batch

T = TypeVar("T")

ATTEMPTS = 6
"""Requests per call of `Client.call`, by default. The engine retries batches itself."""

_CONFIRMED_ONCE = frozenset({Fault.REJECTED, Fault.LINKSET})
"""Failures of a call that are final if a second request fails in the same way."""

REFUSALS = 4
"""Consecutive refusals that end a call. NCBI's key service has rejected valid keys for a moment
(users' reports, 2020)."""


_SLOWED = 0.9
"""Share of the wanted rate below which a harvest counts as slowed. A single 429 leaves 0.95."""


class CanCall(Protocol):
    """Interface of a client that sends single requests and retries passing failures."""

    async def call(
        self, path: str, fields: Fields, read: Callable[[bytes], T], attempts: int = ...
    ) -> T:
        """See `Client.call`."""


class Client:
    """Sends requests to one server, within its rate limit, and reads the answers.

    Args:
        transport: an open HTTP session.
        limiter: grants the permits, and adapts to every 429.
        identity: tool, email and API key, sent with every request.

    Example:
        ```
        found = await client.call(esearch.PATH, {"db": "pubmed", "term": "asthma"}, esearch.read)
        ```
    """

    def __init__(
        self, transport: Transport, limiter: Limiter | RedisLimiter, identity: Identity
    ) -> None:
        self._transport = transport
        self._limiter = limiter
        self._identity = identity
        self._redactor = Redactor(identity.api_key)

    def __repr__(self) -> str:
        """Return a short text for logs and tests, without the key."""
        return f"Client({self.base_url!r}, {self._limiter!r})"

    @property
    def shares_limit(self) -> bool:
        """True if all processes with this key share the limit, at least on this machine."""
        return self._limiter.is_shared

    @property
    def others(self) -> int:
        """Other processes that use the same limit now."""
        return self._limiter.others

    @property
    def limit_outage(self) -> tuple[str, float]:
        """Why the shared limit does not answer, and for how many seconds; empty if it does."""
        return self._limiter.away, self._limiter.away_seconds

    @property
    def rate(self) -> float:
        """Requests per second permitted now."""
        return self._limiter.rate

    @property
    def is_slowed(self) -> bool:
        """True if status 429 has lowered the rate by more than a single one does."""
        return self._limiter.rate < _SLOWED * self._limiter.wanted

    @property
    def base_url(self) -> str:
        """URL of the folder of E-utilities, with a slash at its end."""
        return self._transport.base_url

    async def permit(self) -> Permit:
        """Wait for the permission to send one request."""
        return await self._limiter.acquire()

    async def ask(self, question: Question, batch: Batch, permit: Permit) -> tuple[Answer, bytes]:
        """Send one request about a batch.

        Returns:
            The answer, matched with the batch, and its body.

        Raises:
            RateLimited: the server counted too many requests.
            RequestFailed: no whole answer came; `body` holds the response received.
        """
        body = await self._send(question.path, question.body(batch), permit)
        try:
            answer = question.read(body, batch)
        except RequestFailed as failure:
            failure.body = body
            self._redact(failure)
            raise
        if answer.broken:
            texts = {uid: self._redactor.text(text) for uid, text in answer.broken.items()}
            answer = replace(answer, broken=texts)
        return answer, body

    async def ping(self, permit: Permit | None = None) -> None:
        """Check that the server answers: ask EInfo, which needs no UID.

        Raises:
            RateLimited, RequestFailed: as for `ask`.
        """
        await self._send(einfo.PATH, b"", permit or await self.permit())

    async def call(
        self, path: str, fields: Fields, read: Callable[[bytes], T], attempts: int = ATTEMPTS
    ) -> T:
        """Send a request to any utility; retry after pauses.

        Args:
            path: the utility's file name, for example `esearch.fcgi`.
            fields: its parameters; those without a value are left out.
            read: parses the body; may raise RequestFailed, which is retried.
            attempts: requests at most, not counting those answered with 429. A request that the
                server rejects, or ids that it does not know, are sent twice at most.

        Raises:
            Refused: the server refuses the program (bad API key, blocked address).
            RequestFailed: every attempt failed.
        """
        form, tries = form_of(fields), 0
        while True:
            try:
                return read(await self._send(path, form, await self.permit()))
            except RateLimited:
                continue  # the limiter has lowered the rate
            except RequestFailed as failure:
                self._redact(failure)
                tries += 1
                if failure.fault in FOR_ALL and tries >= min(attempts, REFUSALS):
                    raise refused_by(failure) from failure
                most = min(attempts, 2) if failure.fault in _CONFIRMED_ONCE else attempts
                if tries >= most:
                    raise
                await asyncio.sleep((failure.retry_after or 0.0) + backoff(tries))

    async def look(self, path: str, fields: Fields) -> Reply:
        """Send one request and return the redacted reply, whatever its status.

        Raises:
            RequestFailed: no whole reply came.
        """
        try:
            return await self._reply(path, form_of(fields), await self.permit())
        except RequestFailed as failure:
            self._redact(failure)
            raise

    async def _send(self, path: str, form: bytes, permit: Permit) -> bytes:
        """Send one request and return the redacted body of an acceptable reply."""
        reply = await self._reply(path, form, permit)
        try:
            return check(reply, path)
        except RateLimited as error:
            self._limiter.refused(error.retry_after, error.limit, permit.sent_at)
            raise

    async def _reply(self, path: str, form: bytes, permit: Permit) -> Reply:
        """Send one request and return the redacted reply."""
        body = form + b"&" + self._identity.form if form else self._identity.form
        with permit.hold() as on_sent:
            return self._redacted(await self._transport.post(path, body, on_sent=on_sent))

    def _redacted(self, reply: Reply) -> Reply:
        headers = {name: self._redactor.text(value) for name, value in reply.headers.items()}
        return Reply(reply.status, headers, self._redactor.body(reply.body))

    def _redact(self, failure: RequestFailed) -> None:
        failure.reason = self._redactor.text(failure.reason)
        failure.detail = self._redactor.text(failure.detail)
        failure.args = (failure.reason,)
