"""The first SIGINT or SIGTERM asks, the second insists."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harvester.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.engine import Engine

_HANDLED = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heeded(engine: Engine) -> Iterator[None]:
    """While inside, the first signal ends the engine's run gently, the second ends this task.

    Raises:
        Interrupted: at the second signal, in place of the cancellation.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    caught: list[int] = []

    def on_signal(signum: int) -> None:
        caught.append(signum)
        if len(caught) == 1:
            engine.halt(Interrupted(signum))
        elif task is not None:
            task.cancel()

    for signum in _HANDLED:
        loop.add_signal_handler(signum, on_signal, signum)
    try:
        yield
    except asyncio.CancelledError:
        if len(caught) > 1:
            raise Interrupted(caught[0]) from None
        raise
    finally:
        for signum in _HANDLED:
            loop.remove_signal_handler(signum)
