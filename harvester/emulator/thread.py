"""Emulator in its own thread, for code without an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from harvester.emulator.server import Emulator, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.emulator.config import EmulatorConfig


@contextlib.contextmanager
def background(config: EmulatorConfig) -> Iterator[Emulator]:
    """Run a server within `with`.

    Raises:
        OSError: the server cannot listen on the address.
    """
    ready = threading.Event()
    servers: list[Emulator] = []
    failures: list[BaseException] = []
    loop = asyncio.new_event_loop()

    def started(server: Emulator) -> None:
        servers.append(server)
        ready.set()

    task = loop.create_task(serve(config, started))

    def run() -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread
            failures.append(error)
        finally:
            loop.close()
            ready.set()

    thread = threading.Thread(target=run, name="emulator", daemon=True)
    thread.start()
    ready.wait()
    if failures:
        raise failures[0]
    try:
        yield servers[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
