"""What tests need around them: emulators in one thread, wiretaps, and forks of the command."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

from harvester.emulator import Emulator, EmulatorConfig
from support.fork_server import Nurseries, Nursery
from support.harness import Finished, assert_polite
from support.malicious_server import Impostor
from support.shell_harness import Kitchen
from support.wiretap import Wiretap

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Iterator, Mapping

    from support.malicious_server import Mischief

T = TypeVar("T")


class Servers:
    """Starts and stops emulators, and the wiretaps before them.

    Args:
        group_of: those whose thread and forks are shared.
    """

    def __init__(self, group_of: Servers | None = None) -> None:
        self._loop: asyncio.AbstractEventLoop = (
            group_of._loop if group_of else asyncio.new_event_loop()
        )
        self._nurseries: Nurseries = group_of._nurseries if group_of else Nurseries()
        self.kitchen: Kitchen = group_of.kitchen if group_of else Kitchen()
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulators")
        self._open: list[AbstractAsyncContextManager[Any]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._nurseries.close()
        self.kitchen.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    @contextmanager
    def group(self) -> Iterator[Servers]:
        """Servers of the same thread that end with the block."""
        group = Servers(self)
        try:
            yield group
        finally:
            for server in reversed(group._open):
                group.wait(server.__aexit__(None, None, None))

    def start(self, **settings: Any) -> Emulator:
        """An emulator with these settings of `EmulatorConfig`; without a limit unless asked for."""
        config = EmulatorConfig(**({"rate": None} | settings))
        return self._begin(Emulator(config))

    def tap(self, server: Emulator, hide: bytes = b"") -> Wiretap:
        """A listener before an emulator, with an address of its own (see `Wiretap`)."""
        return self._begin(Wiretap(server.port, hide))

    def impostor(
        self, server: Emulator, mischief: Mischief, tls: ssl.SSLContext | None = None
    ) -> Impostor:
        """A server before an emulator that answers some questions itself (see `Impostor`)."""
        return self._begin(Impostor(server.port, mischief, tls))

    def nursery(self) -> AbstractContextManager[Nursery]:
        """A process to fork runs of the command from."""
        return self._nurseries.one()

    def harvester(
        self,
        *args: object,
        env: Mapping[str, str] | None = None,
        patches: Mapping[str, object] | None = None,
    ) -> Finished:
        """As `harness.harvester`, for tests of many runs: from a process that is well warmed."""
        begun = time.monotonic()
        with self.nursery() as nursery:
            life = nursery.raise_one(args, env=dict(env or {}), patches=dict(patches or {}))
        assert_polite(life.said)
        return Finished(life.code, "", life.said, time.monotonic() - begun)

    def stop(self, server: AbstractAsyncContextManager[Any]) -> None:
        """End a server before its time."""
        self._open.remove(server)
        self.wait(server.__aexit__(None, None, None))

    def wait(self, work: Coroutine[Any, Any, T], timeout: float = 30.0) -> T:
        """The result of something to be done in the servers' thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def _begin(self, server: AbstractAsyncContextManager[T]) -> T:
        started = self.wait(_enter(server))
        self._open.append(server)
        return started


async def _enter(server: AbstractAsyncContextManager[T]) -> T:
    return await server.__aenter__()
