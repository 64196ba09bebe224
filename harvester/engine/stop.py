"""End runs gently at the first signal, such as SIGINT or SIGTERM, and at once at the second."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from harvester.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from harvester.errors import HarvestError

    class Halting(Protocol):
        """Interface of what `Stop` can end: an engine, or the leases of a pass."""

        def halt(self, why: HarvestError) -> None:
            """End gently, for the given reason."""


_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")
"""Signals that end a run: of a terminal that is closed, and of schedulers before they kill."""


class Stop:
    """Halts all running engines, and those that start later."""

    def __init__(self) -> None:
        self._engines: list[Halting] = []
        self._why: HarvestError | None = None

    def __repr__(self) -> str:
        """Show the reason."""
        return f"Stop({len(self._engines)} engines, {self._why!r})"

    @contextmanager
    def of(self, engine: Halting) -> Iterator[None]:
        """Context manager. Register an engine while inside."""
        self._engines.append(engine)
        if self._why is not None:
            engine.halt(self._why)
        try:
            yield
        finally:
            self._engines.remove(engine)

    @property
    def reason(self) -> HarvestError | None:
        """Why everything is to end; None if nothing is."""
        return self._why

    def ask(self, why: HarvestError) -> bool:
        """End everything gently; return False if no engine is running."""
        self._why = self._why or why
        for engine in self._engines:
            engine.halt(self._why)
        return bool(self._engines)


@contextmanager
def halt_on_signals(stop: Stop) -> Iterator[None]:
    """Context manager. The first signal halts the engines, the second cancels this task.

    Raises:
        Interrupted: at the second signal, or at the first if no engine is running, in place of
            the cancellation.
    """
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

    with ExitStack() as handlers:
        for signum in _handled_signals():
            handlers.enter_context(_handled(signum, on_signal))
        try:
            yield
        except asyncio.CancelledError:
            if cancelled:
                raise Interrupted(caught[0]) from None
            raise


def _handled_signals() -> list[int]:
    """Return the signals to handle: those that exist here and are not ignored, as by nohup."""
    found = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [signum for signum in found if signal.getsignal(signum) is not signal.SIG_IGN]


@contextmanager
def _handled(signum: int, handler: Callable[[int], None]) -> Iterator[None]:
    """Context manager. Call a function in the event loop for each such signal."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signum, handler, signum)
    except NotImplementedError:  # Windows runs signal handlers outside the loop
        before = signal.signal(signum, lambda *_: loop.call_soon_threadsafe(handler, signum))
        try:
            yield
        finally:
            signal.signal(signum, before)
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signum)
