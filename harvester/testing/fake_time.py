"""An event loop on simulated time, and a wall clock that follows it."""

from __future__ import annotations

import asyncio
import random
import selectors
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Executor

T = TypeVar("T")

_START = 1000.0
_TURN = 1e-7
"""Simulated seconds per turn of the loop. With 0, a loop that waits for less than the clock's
resolution would never end."""

_LONGEST_CALL = 60.0
"""Real seconds to wait for a call in a thread."""


class _JumpingSelector(selectors.SelectSelector):
    """Advances the clock by the time the loop wants to wait, instead of waiting."""

    def __init__(self, late: Callable[[], float]) -> None:
        super().__init__()
        self.now = _START
        self.threads = 0
        self._late = late

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # Calls in threads take no fake time: wait for them in real time.
        ready = super().select(_LONGEST_CALL if self.threads and timeout != 0 else 0)
        self.now += _TURN
        if not ready:
            if timeout is None:
                raise RuntimeError("all tasks wait for something, and no timer is set")
            if timeout > 0:
                self.now += timeout + self._late()
        return ready


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer when no task can run.

    Args:
        late: called for each jump; returns seconds by which the timer is late.
    """

    def __init__(self, late: Callable[[], float] = lambda: 0.0) -> None:
        self._selector_clock = _JumpingSelector(late)
        super().__init__(self._selector_clock)

    def time(self) -> float:
        """Return the simulated time in seconds."""
        return self._selector_clock.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run a function in a thread while the simulated clock stands still."""
        self._selector_clock.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002
        """Wait in real time for the threads to end."""
        self._selector_clock.threads += 1
        await super().shutdown_default_executor()
        self._selector_clock.threads -= 1

    def _thread_done(self, _: object) -> None:
        self._selector_clock.threads -= 1


def run_in_fake_time(work: Coroutine[Any, Any, T], *, latest: float = 0.0) -> T:
    """Run a coroutine on simulated time.

    Args:
        work: the coroutine.
        latest: seconds by which timers are late at most, as on a busy machine. The delays are
            random but the same in each run.

    Raises:
        RuntimeError: all tasks wait for something, and no timer is set.

    Example:
        ```
        import asyncio

        from harvester.testing import fake_seconds, run_in_fake_time

        async def pause() -> float:
            await asyncio.sleep(3600)
            return fake_seconds()

        assert round(run_in_fake_time(pause())) == 3600
        ```
    """
    roll = random.Random(1).uniform

    def loop_factory() -> FakeTimeLoop:
        return FakeTimeLoop(lambda: roll(0.0, latest) if latest else 0.0)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(work)


def fake_seconds() -> float:
    """Return the simulated seconds since the running `FakeTimeLoop` started."""
    return asyncio.get_running_loop().time() - _START


class FakeClock:
    """A wall clock that follows the running event loop, and can be set.

    Args:
        start: the time at loop time 0 of the test; an aware datetime, or ISO text.

    Example:
        ```
        clock = FakeClock("2026-11-18T12:00:00-05:00")
        clock()                                  # the time, aware
        clock.set("2026-11-18T23:10:00-05:00")   # as after a night asleep
        ```
    """

    def __init__(self, start: datetime | str) -> None:
        self.set(start)

    def set(self, time: datetime | str) -> None:
        """Set the time of now."""
        self._then = datetime.fromisoformat(time) if isinstance(time, str) else time
        self._since = self._seconds()

    def __call__(self) -> datetime:
        """Return the time, in UTC."""
        return (self._then + timedelta(seconds=self._seconds() - self._since)).astimezone(UTC)

    def _seconds(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:  # set before the loop runs
            return _START
