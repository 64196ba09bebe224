"""How busy the machine is: measures how late timers are while a test runs."""

from __future__ import annotations

import threading
import time
from typing import Self

import pytest

TICK_SECONDS = 0.01
BUSY_SECONDS = 0.1
"""Timers that are later than this make the share of a rate meaningless. On a quiet machine they
are late by 1 to 5 ms."""


class Lateness:
    """A thread that sleeps in short steps and records how late each step ended.

    Use it as a context manager around what is measured.

    Attributes:
        longest: seconds by which the latest step ended late.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="lateness", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def is_busy(self) -> bool:
        """Whether timers were late so far."""
        return self.longest > BUSY_SECONDS

    def _measure(self) -> None:
        while not self._over.is_set():
            begun = time.monotonic()
            time.sleep(TICK_SECONDS)
            self.longest = max(self.longest, time.monotonic() - begun - TICK_SECONDS)

    def assert_share(self, share: float, least: float) -> None:
        """Assert that a share of a rate was used; skip the test if the machine was too busy.

        Args:
            share: the measured share.
            least: required on a quiet machine.
        """
        if share < least and self.is_busy:
            pytest.skip(
                f"busy machine: timers were up to {self.longest:.2f} s late, "
                f"and {share:.0%} of the rate was used"
            )
        assert share >= least
