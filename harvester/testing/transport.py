"""A transport that answers from a script, and ELink answers to put into it."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from unittest.mock import patch
from urllib.parse import parse_qsl

from harvester.client.reply import Reply
from harvester.client.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from harvester.client.transport import OnSent


@dataclass(frozen=True)
class SentRequest:
    """One request as a `ScriptedTransport` received it.

    Attributes:
        path: of the utility, such as `elink.fcgi`.
        form: the body.
        at: the running loop's time, in seconds.
    """

    path: str
    form: bytes
    at: float

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields of the form, decoded, in their order."""
        return parse_qsl(self.form.decode("ascii"), keep_blank_values=True)

    def values(self, name: str) -> list[str]:
        """Return all values of one field."""
        return [value for key, value in self.fields if key == name]


@dataclass(frozen=True)
class Timed:
    """An answer that takes time.

    Attributes:
        answer: the answer; None for one that never comes.
        connecting: seconds until the request is sent.
        answering: seconds from then until the answer is there.
    """

    answer: bytes | Reply | Exception | None
    connecting: float = 0.0
    answering: float = 0.0


Answer: TypeAlias = bytes | Reply | Exception | Timed
"""A body (HTTP 200), a whole reply, an exception to raise, or one of these after some time."""


class ScriptedTransport(Transport):
    """A transport that takes its answers from a script instead of a server.

    Args:
        script: one answer per request, in order; or a function that returns the answer to a
            request.
        base_url: address to report.

    Attributes:
        requests: all requests, in order of arrival.
        in_flight: requests without an answer yet.
        most_in_flight: highest value of `in_flight` so far.

    Raises (from `post`):
        AssertionError: the script has no more answers.

    Example:
        ```
        from harvester.testing import Fault, Reply, RequestFailed, ScriptedTransport, Timed

        ScriptedTransport(
            [
                Reply(429, {"retry-after": "2"}, b""),
                RequestFailed(Fault.NETWORK, "the server closed the connection"),
                Timed(b"{}", connecting=0.5, answering=13.0),
            ]
        )
        ```
    """

    def __init__(
        self,
        script: Iterable[Answer] | Callable[[SentRequest], Answer],
        base_url: str = "http://scripted/",
    ) -> None:
        super().__init__(base_url, timeout=60.0)
        self._answer = script if callable(script) else _in_order(script)
        self.requests: list[SentRequest] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def __aenter__(self) -> Self:
        """Open nothing."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close nothing."""

    async def post(self, path: str, form: bytes, on_sent: OnSent) -> Reply:
        """Record the request and return or raise the scripted answer."""
        request = SentRequest(path, form, asyncio.get_running_loop().time())
        self.requests.append(request)
        answer = self._answer(request)
        timed = answer if isinstance(answer, Timed) else Timed(answer)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if timed.connecting:
                await asyncio.sleep(timed.connecting)
            if (waiting := on_sent()) is not None:
                await waiting
            if timed.answering:
                await asyncio.sleep(timed.answering)
            if timed.answer is None:
                await asyncio.Event().wait()
        finally:
            self.in_flight -= 1
        if isinstance(timed.answer, Exception):
            raise timed.answer
        if isinstance(timed.answer, Reply):
            return timed.answer
        return Reply(200, {}, timed.answer or b"")

    @contextmanager
    def installed(self) -> Iterator[Self]:
        """Answer all requests of this process from the script while the block runs."""

        async def post(_: Transport, path: str, form: bytes, on_sent: OnSent) -> Reply:
            return await self.post(path, form, on_sent)

        with patch.object(Transport, "post", post):
            yield self


def _in_order(script: Iterable[Answer]) -> Callable[[SentRequest], Answer]:
    answers = list(script)
    left = iter(answers)

    def answer(request: SentRequest) -> Answer:
        for one in left:
            return one
        raise AssertionError(
            f"request {len(answers) + 1} (to {request.path}): "
            f"the script has only {len(answers)} answers"
        )

    return answer


def elink_answer(dbfrom: str, links: Mapping[int, Mapping[str, Sequence[int]]]) -> bytes:
    """Return ELink's JSON answer (cmd=neighbor, one LinkSet per UID).

    Args:
        dbfrom: database of the UIDs.
        links: UID → linkname → linked UIDs. A linkname is `dbfrom_db` or `dbfrom_db_suffix`.
    """
    linksets: list[dict[str, Any]] = []
    for uid, by_name in links.items():
        linksetdbs = [
            {
                "dbto": name.removeprefix(f"{dbfrom}_").partition("_")[0],
                "linkname": name,
                "links": [str(to) for to in linked],
            }
            for name, linked in by_name.items()
        ]
        linkset = {"dbfrom": dbfrom, "ids": [str(uid)]}
        linksets.append(linkset | ({"linksetdbs": linksetdbs} if linksetdbs else {}))
    header = {"type": "elink", "version": "0.3"}
    return json.dumps({"header": header, "linksets": linksets}).encode()
