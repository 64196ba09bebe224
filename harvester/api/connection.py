"""A connection to the E-utilities of one server, used by all requests."""

from __future__ import annotations

from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from harvester.client.catalogue import Catalogue
from harvester.client.client import ATTEMPTS
from harvester.client.connect import connected
from harvester.client.known_names import DATABASES
from harvester.errors import BadInput, HarvestError, RequestFailed, nearest, printable
from harvester.job import load
from harvester.job.groups import STDOUT
from harvester.job.permission import check_permitted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from harvester.client.client import Client
    from harvester.eutils.identity import Fields
    from harvester.job.model import Job

T = TypeVar("T")


class Connection:
    """A client that exists between `open` and `close`.

    Args:
        settings: keys of the groups contact, server and limits of a job.
        environ: sets missing settings, and holds the API key.
        attempts: maximum number of requests per answer.

    Raises:
        BadInput: one is wrong, or NCBI would be asked without an email address.
    """

    def __init__(
        self, settings: load.Settings, environ: Mapping[str, str], attempts: int = ATTEMPTS
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._attempts = attempts
        with _named_as_arguments():
            self._access = load.build_access(settings, environ)
            check_permitted(self._access.contact, self._access.server, self._access.limits, environ)
        self._stack = AsyncExitStack()
        self._client: Client | None = None

    def __repr__(self) -> str:
        return f"Connection({self.base_url!r})"

    @property
    def base_url(self) -> str:
        """URL that all requests begin with."""
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
        """The client.

        Raises:
            BadInput: the connection is not open.
        """
        if self._client is None:
            raise BadInput("Eutils is not connected: use it inside `async with Eutils(...) as e:`.")
        return self._client

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the server's databases."""
        return Catalogue(self.client, attempts=self._attempts)

    def job(self, link: dict[str, Any]) -> Job:
        """Return a job of this connection, without a folder.

        Raises:
            BadInput: a value is wrong.
        """
        settings = {**self._settings, "link": link, "output": {"path": STDOUT}}
        with _named_as_arguments():
            return load.build(settings, environ=self._environ)

    async def check_db(self, db: str) -> None:
        """Check that a database exists; EInfo is requested only if it is not a well-known one.

        Raises:
            BadInput: it does not exist; names the nearest.
            HarvestError: EInfo gives no answer.
        """
        if db in DATABASES:
            return
        known = await self.answer("EInfo", self.catalogue.databases())
        if db not in known:
            raise BadInput(f"There is no database '{printable(str(db))}'{nearest(str(db), known)}.")

    async def ask(
        self, utility: str, path: str, fields: Fields, read: Callable[[bytes], T | RequestFailed]
    ) -> T:
        """Return the answer to one request.

        Args:
            utility: its name, for error messages.
            path: its path below the base URL.
            fields: its parameters.
            read: turns the body into a value, or into an error that a retry would not repair.

        Raises:
            Refused: the server rejects all requests.
            HarvestError: no complete answer came.
        """
        found = await self.answer(utility, self.client.call(path, fields, read, self._attempts))
        if isinstance(found, RequestFailed):
            raise self._sentence(utility, found)
        return found

    async def answer(self, utility: str, asking: Awaitable[T]) -> T:
        """Return the result of an awaitable; raises as `ask`."""
        try:
            return await asking
        except RequestFailed as failure:
            raise self._sentence(utility, failure) from None  # the error's text may hold the key

    def _sentence(self, utility: str, failure: RequestFailed) -> HarvestError:
        reason = failure.reason.rstrip(".")
        return HarvestError(f"{utility} at {self.client.base_url} gives no answer: {reason}.")


class Connected:
    """Base of the classes of methods that ask one server."""

    def __init__(self, at: Connection) -> None:
        self._at = at


@contextmanager
def _named_as_arguments() -> Iterator[None]:
    """Name the argument, like `rate=`, in errors about a key of a job."""
    try:
        yield
    except BadInput as error:
        raise error.named(f"{error.field.rpartition('.')[2]}=") from None
