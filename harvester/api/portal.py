"""An event loop in its own thread, for code that does not await.

It also works beside a running loop, as in a notebook, since it does not use that one.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any, Self, TypeVar

from harvester.api.loop import new_loop
from harvester.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

_END_SECONDS = 10.0
"""Seconds that a call interrupted by Ctrl-C may take to end its requests."""

_LOOK_SECONDS = 1.0
"""Seconds between checks for Ctrl-C, which does not wake a waiting thread on Windows."""


class Portal:
    """Runs coroutines in its loop and waits for their results; several threads may use it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start the thread."""
        self._loop = new_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="harvester portal", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End the thread."""
        loop, self._loop = self._loop, None
        assert loop is not None
        assert self._thread is not None
        asyncio.run_coroutine_threadsafe(_end(), loop).result(_END_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()
        loop.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine; return its result or raise its error.

        If the caller is interrupted, as by Ctrl-C, the coroutine is cancelled and has ended when
        this returns.

        Raises:
            BadInput: the portal is not open.
        """
        if self._loop is None:
            work.close()
            raise BadInput("Eutils is not connected: use it inside `with Eutils.sync(...) as e:`.")
        ended = threading.Event()
        future = asyncio.run_coroutine_threadsafe(_signalling(work, ended), self._loop)
        try:
            while not future.done():
                wait([future], _LOOK_SECONDS)
        except BaseException:
            future.cancel()
            ended.wait(_END_SECONDS)
            raise
        return future.result()


async def _signalling(work: Coroutine[Any, Any, T], ended: threading.Event) -> T:
    """Run a coroutine, and say when it has ended, also if it is cancelled."""
    try:
        return await work
    finally:
        ended.set()


async def _end() -> None:
    """Cancel all other tasks of the loop, wait for them, and close its generators."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
