"""The first SIGINT or SIGTERM asks, the second insists."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harvester.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.engine.engine import Engine
    from harvester.errors import HarvestError

_HANDLED = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Ends all engines at work, and those that would begin after."""

    def __init__(self) -> None:
        self._engines: list[Engine] = []
        self._why: HarvestError | None = None

    @contextmanager
    def of(self, engine: Engine) -> Iterator[None]:
        """An engine is at work while inside."""
        self._engines.append(engine)
        if self._why is not None:
            engine.halt(self._why)
        try:
            yield
        finally:
            self._engines.remove(engine)

    @property
    def asked(self) -> bool:
        """Whether all is to end."""
        return self._why is not None

    def ask(self, why: HarvestError) -> bool:
        """Have everything end gently; False where nothing is at work that could."""
        self._why = self._why or why
        for engine in self._engines:
            engine.halt(self._why)
        return bool(self._engines)


@contextmanager
def heeded(stop: Stop) -> Iterator[None]:
    """While inside, the first signal ends the engines gently, the second ends this task.

    Raises:
        Interrupted: at the second signal, or the first where no engine is at work, in place of
            the cancellation.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    caught: list[int] = []
    cancelled = False

    def on_signal(signum: int) -> None:
        nonlocal cancelled
        caught.append(signum)
        gently = len(caught) == 1 and stop.ask(Interrupted(signum))
        if not gently and task is not None:
            cancelled = True
            task.cancel()

    for signum in _HANDLED:
        loop.add_signal_handler(signum, on_signal, signum)
    try:
        yield
    except asyncio.CancelledError:
        if cancelled:
            raise Interrupted(caught[0]) from None
        raise
    finally:
        for signum in _HANDLED:
            loop.remove_signal_handler(signum)
