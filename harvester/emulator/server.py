"""The emulator as a server: listening, outages, shutdown."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

from aiohttp import web

from harvester.emulator.config import EmulatorConfig
from harvester.emulator.faults.wire import abort
from harvester.emulator.graph import SeededGraph, TableGraph
from harvester.emulator.handler import Handler
from harvester.emulator.history import History
from harvester.emulator.log import RequestLog
from harvester.emulator.utilities.backend import Backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from harvester.emulator.graph import Graph

PATH = "/entrez/eutils/"
"""Folder of NCBI's utilities; every other folder is answered, too."""

_LINE = 1 << 20
"""Bytes of the longest request line: long enough to answer 414 rather than close."""

_BACKLOG = 128
"""Connections that wait to be accepted."""

_SET_UP_TURNS = 3
"""Turns of the event loop that asyncio takes to set up a connection it has accepted."""


class Emulator:
    """E-utilities server that runs within `async with`.

    Args:
        config: settings (default: those of `EmulatorConfig`).

    Attributes:
        graph: the served links; tests compute the expected rows from it.
        log: all requests.
        history: the History server.
    """

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        self.config = config or EmulatorConfig()
        self.graph = _graph(self.config)
        self.history = History(self.config.history_life)
        self.log = RequestLog(self.config.log)
        backend = Backend(
            self.graph,
            self.history,
            history_limit=self.config.history_limit,
            max_hits=self.config.max_hits,
            llinkslib=self.config.llinkslib,
            egquery=self.config.egquery,
        )
        self._handler = Handler(self.config, backend, self.log)
        self._port = self.config.port
        self._server: web.Server | None = None
        self._runner: web.ServerRunner | None = None
        self._listener: asyncio.Server | None = None
        self._restarts: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._server = web.Server(
            self._handler,
            handler_cancellation=True,
            keepalive_timeout=self.config.keepalive_timeout,
            access_log=None,
            max_line_size=_LINE,
            max_field_size=_LINE,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen()
        if self.config.restart is not None:
            self._restarts = asyncio.create_task(self._restart(*self.config.restart))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handler.closing = True
        if self._restarts is not None:
            self._restarts.cancel()
            await asyncio.wait([self._restarts])
        await self._stop_listening()
        if self._runner is not None:
            await self._runner.cleanup()
        self._handler.workers.close()
        self.log.close()

    @property
    def port(self) -> int:
        """Port of the server."""
        return self._port

    @property
    def base_url(self) -> str:
        """URL of the eutils folder, with a slash at the end."""
        return f"http://{self.config.host}:{self._port}{PATH}"

    @contextlib.asynccontextmanager
    async def outage(self, kind: int | str = 503) -> AsyncIterator[None]:
        """Fail all requests within `async with`.

        Args:
            kind: how requests fail: a status (502, 503, 504), `reset`, `hang`, or `refused`, where
                the server does not listen and resets its connections.
        """
        await self.fail(kind)
        try:
            yield
        finally:
            await self.recover()

    async def fail(self, kind: int | str = 503) -> None:
        """Start an outage (see `outage`)."""
        if kind != "refused":
            self._handler.outage = kind
            return
        if self._runner is None or self._server is None:
            return
        await self._stop_listening()
        for connection in self._server.connections:
            abort(connection.transport)

    async def recover(self) -> None:
        """End an outage."""
        self._handler.outage = None
        if self._listener is None:
            await self._listen()

    async def _restart(self, every: float, down: float) -> None:
        """Restart every `every` seconds: lose all requests and refuse connections for a while."""
        up = every
        while True:
            await asyncio.sleep(up)
            up = every - down
            self._handler.workers.lose_all("restart")
            await self.fail("refused")
            await asyncio.sleep(down)
            await self.recover()

    async def _listen(self) -> None:
        if self._server is None:
            return
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            self._server, self.config.host, self._port, reuse_address=True, backlog=_BACKLOG
        )
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        """Stop accepting connections, then close the listening sockets.

        asyncio loses connections that it has accepted but not set up when their listener is closed.
        """
        if self._listener is None:
            return
        loop = asyncio.get_running_loop()
        for listening in self._listener.sockets:
            with contextlib.suppress(NotImplementedError):  # the event loop of Windows
                loop.remove_reader(listening.fileno())
        for _ in range(_SET_UP_TURNS):
            await asyncio.sleep(0)
        self._listener.close()
        self._listener = None


async def serve(config: EmulatorConfig, on_ready: Callable[[Emulator], None] | None = None) -> None:
    """Serve until cancelled.

    Args:
        config: settings.
        on_ready: called once the server listens.
    """
    async with Emulator(config) as server:
        if on_ready is not None:
            on_ready(server)
        await asyncio.Event().wait()


def _graph(config: EmulatorConfig) -> Graph:
    if config.graph is not None:
        return config.graph
    if config.links is not None:
        return TableGraph.read(config.links)
    return SeededGraph(config.seed, config.links_per_uid)
