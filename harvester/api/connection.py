"""A connection to the E-utilities of one server, and what all questions to them have in common."""

from __future__ import annotations

from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from harvester.client.catalogue import Catalogue
from harvester.client.connect import connected
from harvester.client.known_names import DATABASES
from harvester.errors import BadInput, HarvestError, RequestFailed, nearest, printable
from harvester.job import load as jobfile
from harvester.job.groups import STDOUT
from harvester.job.permission import check_permitted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from harvester.client.client import Client
    from harvester.eutils.identity import Fields
    from harvester.job.model import Job

T = TypeVar("T")


class Connection:
    """A client that is there between `open` and `close`.

    Args:
        settings: of contact, server and limits, as a job has them.
        environ: holds what they do not, and the API key.

    Raises:
        BadInput: one is wrong, or NCBI would be asked without an email address.
    """

    def __init__(self, settings: jobfile.Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        with _named_as_arguments():
            self._access = jobfile.build_access(settings, environ)
            check_permitted(self._access.contact, self._access.server, self._access.limits, environ)
        self._stack = AsyncExitStack()
        self._client: Client | None = None

    def __repr__(self) -> str:
        return f"Connection({self.base_url!r})"

    @property
    def base_url(self) -> str:
        """The folder of the E-utilities that are asked."""
        return self._access.server.base_url

    async def open(self) -> None:
        """Connect."""
        to = self._access
        self._client = await self._stack.enter_async_context(
            connected(to.server, to.contact, to.limits, self._environ)
        )

    async def close(self) -> None:
        """Disconnect."""
        self._client = None
        await self._stack.aclose()

    @property
    def client(self) -> Client:
        """Asks, at the server's pace.

        Raises:
            BadInput: there is no connection.
        """
        if self._client is None:
            raise BadInput("Eutils is not connected: use it inside `async with Eutils(...) as e:`.")
        return self._client

    @property
    def catalogue(self) -> Catalogue:
        """Of the server's databases."""
        return Catalogue(self.client)

    def job(self, link: dict[str, Any]) -> Job:
        """A job of this connection, with nothing written.

        Raises:
            BadInput: a value is wrong.
        """
        settings = {**self._settings, "link": link, "output": {"path": STDOUT}}
        with _named_as_arguments():
            return jobfile.build(settings, environ=self._environ)

    async def see_db(self, db: str) -> None:
        """See that there is such a database; EInfo is asked about one that is not well known.

        Raises:
            BadInput: there is none; tells the nearest.
            HarvestError: EInfo does not tell.
        """
        if db in DATABASES:
            return
        known = await self.answer("EInfo", self.catalogue.databases())
        if db not in known:
            raise BadInput(f"There is no database '{printable(str(db))}'{nearest(str(db), known)}.")

    async def ask(
        self, utility: str, path: str, fields: Fields, read: Callable[[bytes], T | RequestFailed]
    ) -> T:
        """The answer to a single question.

        Args:
            utility: as a sentence has it.
            path: of it, below the base URL.
            fields: its parameters.
            read: makes a value of the body, or an error that asking again would not mend.

        Raises:
            Refused: the server refuses us.
            HarvestError: no whole answer came.
        """
        found = await self.answer(utility, self.client.call(path, fields, read))
        if isinstance(found, RequestFailed):
            raise self._sentence(utility, found)
        return found

    async def answer(self, utility: str, asking: Awaitable[T]) -> T:
        """What is awaited; raises as `ask`."""
        try:
            return await asking
        except RequestFailed as failure:
            raise self._sentence(utility, failure) from None  # its text may hold the key

    def _sentence(self, utility: str, failure: RequestFailed) -> HarvestError:
        reason = failure.reason.rstrip(".")
        return HarvestError(f"{utility} at {self.client.base_url} gives no answer: {reason}.")


@contextmanager
def _named_as_arguments() -> Iterator[None]:
    """Name the arguments of Python in what is wrong, not the keys of a job."""
    try:
        yield
    except BadInput as error:
        raise error.named(f"{error.field.rpartition('.')[2]}=") from None
