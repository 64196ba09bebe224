"""An event loop whose time jumps to the next timer as soon as everybody waits."""

from __future__ import annotations

import asyncio
import random
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Executor

T = TypeVar("T")

START = 1000.0
_TURN = 1e-7
"""Seconds that one turn of the loop takes; in none at all, a wait of almost nothing has no end."""


class _Jumping(selectors.SelectSelector):
    """Moves the clock on by what the loop is ready to wait, instead of waiting.

    Args:
        late: seconds by which each timer comes too late, as on a busy machine.
    """

    def __init__(self, late: Callable[[], float]) -> None:
        super().__init__()
        self.now = START
        self.threads = 0
        self._late = late

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # What threads do takes no fake time: it is awaited, while all the rest stands still.
        ready = super().select(60.0 if self.threads and timeout != 0 else 0)
        self.now += _TURN
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits for something that time does not bring")
            if timeout > 0:
                self.now += timeout + self._late()
        return ready


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """Seconds pass in no time, and always the same way."""

    def __init__(self, late: Callable[[], float] = lambda: 0.0) -> None:
        self._jumping = _Jumping(late)
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        self._jumping.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: object) -> None:
        self._jumping.threads -= 1


def run(work: Coroutine[Any, Any, T], *, latest: float = 0.0) -> T:
    """Run a coroutine on fake time; timers come up to `latest` seconds late."""
    roll = random.Random(1).uniform

    def loop_factory() -> FakeTimeLoop:
        return FakeTimeLoop(lambda: roll(0.0, latest) if latest else 0.0)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(work)


def now() -> float:
    """Seconds since the start, on the running fake loop."""
    return asyncio.get_running_loop().time() - START
