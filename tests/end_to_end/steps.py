"""What a process does to its disk, as numbered steps, before or after any of which it can die."""

from __future__ import annotations

import builtins
import functools
import io
import os
import re
import signal
import sqlite3
import stat
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CALLS = ("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "truncate", "ftruncate")
_QUIET = ("SELECT", "PRAGMA user_version")  # statements that change nothing


_COMMENT = re.compile("--.*")


class Steps:
    """Numbers the steps of each kind, notes them, and ends the process at a chosen one.

    Args:
        note: called with the kind of each step before it is taken.
        kind: of the step to die at; empty lives on.
        nth: which of this kind, from 1.
        when: `before` the step, `after` it, or, for a write, with it half done (`torn`).
    """

    def __init__(self, note: Callable[[str], None], kind: str, nth: int, when: str) -> None:
        self._note = note
        self._fatal = (kind, nth)
        self._when = when
        self._taken: Counter[str] = Counter()
        self._turn = threading.Lock()

    @contextmanager
    def step(self, kind: str) -> Iterator[bool]:
        """Take one step within the block, which is told whether to take but half of it."""
        with self._turn:
            self._taken[kind] += 1
            fatal = (kind, self._taken[kind]) == self._fatal
            self._note(kind)
        if fatal and self._when == "before":
            _die()
        try:
            yield fatal and self._when == "torn"
        finally:  # also where the step failed, as making a folder that is there
            if fatal:
                _die()

    def watch(self) -> None:
        """From now on, every change that this process makes to files and databases is a step."""
        for name in _CALLS:
            setattr(os, name, self._watched(name, getattr(os, name)))
        os.fsync = self._watched_sync(os.fsync)
        io.open = self._watched_open(io.open)
        builtins.open = io.open
        sqlite3.connect = self._watched_connect(sqlite3.connect)

    def _watched(self, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def watched(*args: Any, **options: Any) -> Any:
            with self.step(kind):
                return call(*args, **options)

        return watched

    def _watched_sync(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(handle: int) -> None:
            folder = stat.S_ISDIR(os.fstat(handle).st_mode)
            with self.step("fsync of a folder" if folder else "fsync of a file"):
                call(handle)

        return watched

    def _watched_open(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if not set(mode) & set("wax+") or isinstance(file, int):
                return call(file, mode, *args, **options)
            with self.step("open"):
                return _WatchedFile(call(file, mode, *args, **options), self)

        return watched

    def _watched_connect(self, call: Callable[..., Any]) -> Callable[..., Any]:
        steps = self

        class Watched(sqlite3.Connection):
            def execute(self, sql: str, *args: Any) -> Any:
                return self._do(super().execute, sql, *args)

            def executemany(self, sql: str, *args: Any) -> Any:
                return self._do(super().executemany, sql, *args)

            def _do(self, call: Callable[..., Any], sql: str, *args: Any) -> Any:
                bare = _COMMENT.sub("", sql).strip()
                if not bare or bare.startswith(_QUIET):
                    return call(sql, *args)
                with steps.step(f"sqlite {bare.split()[0].upper()}"):
                    return call(sql, *args)

        def watched(*args: Any, **options: Any) -> sqlite3.Connection:
            with self.step("sqlite connect"):
                connection: sqlite3.Connection = call(*args, factory=Watched, **options)
                return connection

        return watched


class _WatchedFile:
    """A file open for writing; each write is a step."""

    def __init__(self, file: Any, steps: Steps) -> None:
        self._file = file
        self._steps = steps

    def write(self, data: Any) -> int:
        with self._steps.step("write") as torn:
            if torn:
                self._file.write(data[: len(data) // 2])
                self._file.flush()
                return 0
            written: int = self._file.write(data)
            return written

    def flush(self) -> None:
        with self._steps.step("flush"):
            self._file.flush()

    def __enter__(self) -> _WatchedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
