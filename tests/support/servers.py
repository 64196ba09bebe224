"""Emulators in one thread, proxies before them, and forks of the command."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    contextmanager,
    suppress,
)
from itertools import count
from typing import TYPE_CHECKING, Any, Self, TypeVar

from harvester.emulator import Emulator, EmulatorConfig
from support.fork_server import ForkServer, ForkServers
from support.harness import Finished, assert_polite
from support.malicious_server import MaliciousServer
from support.warm_process import WarmProcess
from support.wiretap import Wiretap

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Iterator, Mapping

    from support.malicious_server import Respond

T = TypeVar("T")

_PORTS = count(20_000 + 4_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]))
"""No port is used twice, nor by another process of the tests: a harvest that probes for a server
that is gone must not find that of another test."""


class Servers:
    """Starts and stops emulators, and the wiretaps before them.

    Args:
        group_of: those whose thread and forks are shared.
    """

    def __init__(self, group_of: Servers | None = None) -> None:
        self._loop: asyncio.AbstractEventLoop = (
            group_of._loop if group_of else asyncio.new_event_loop()
        )
        self._fork_servers: ForkServers = group_of._fork_servers if group_of else ForkServers()
        self.shell: WarmProcess = group_of.shell if group_of else WarmProcess()
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulators")
        self._open: list[AbstractAsyncContextManager[Any]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._fork_servers.close()
        self.shell.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    @contextmanager
    def group(self) -> Iterator[Servers]:
        """Yield servers of the same thread that end with the block."""
        group = Servers(self)
        try:
            yield group
        finally:
            for server in reversed(group._open):
                group.wait(server.__aexit__(None, None, None))

    def start(self, **settings: Any) -> Emulator:
        """Start an emulator with these settings of `EmulatorConfig`; no limits by default."""
        given = {"rate": None, "max_hits": None} | settings
        while "port" not in given:
            with suppress(OSError):  # another program listens there
                return self._begin(Emulator(EmulatorConfig(**given, port=next(_PORTS))))
        return self._begin(Emulator(EmulatorConfig(**given)))

    def tap(self, server: Emulator, hide: bytes = b"") -> Wiretap:
        """Start a recording proxy before an emulator (see `Wiretap`)."""
        return self._begin(Wiretap(server.port, hide))

    def malicious_server(
        self, server: Emulator, respond: Respond, tls: ssl.SSLContext | None = None
    ) -> MaliciousServer:
        """Start a server before an emulator that answers some requests itself."""
        return self._begin(MaliciousServer(server.port, respond, tls))

    def fork_server(self) -> AbstractContextManager[ForkServer]:
        """Lend a process to fork runs of the command from."""
        return self._fork_servers.one()

    def harvester(
        self,
        *args: object,
        env: Mapping[str, str] | None = None,
        patches: Mapping[str, object] | None = None,
    ) -> Finished:
        """Run like `harness.harvester`, in a fork of a warm process, for tests of many runs."""
        begun = time.monotonic()
        with self.fork_server() as fork_server:
            ended = fork_server.run(args, env=dict(env or {}), patches=dict(patches or {}))
        assert_polite(ended.output)
        return Finished(ended.code, "", ended.output, time.monotonic() - begun)

    def stop(self, server: AbstractAsyncContextManager[Any]) -> None:
        """Stop a server early."""
        self._open.remove(server)
        self.wait(server.__aexit__(None, None, None))

    def wait(self, work: Coroutine[Any, Any, T], timeout: float = 120.0) -> T:
        """Run a coroutine in the servers' thread; return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def read_all(self) -> None:
        """Wait until the servers have read everything sent to them so far."""
        self.wait(_turns(50))

    def _begin(self, server: AbstractAsyncContextManager[T]) -> T:
        started = self.wait(_enter(server))
        self._open.append(server)
        return started


async def _turns(count: int) -> None:
    """Let the loop run some turns; each reads what has arrived."""
    for _ in range(count):
        await asyncio.sleep(0.001)


async def _enter(server: AbstractAsyncContextManager[T]) -> T:
    return await server.__aenter__()
