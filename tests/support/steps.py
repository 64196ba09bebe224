"""The calls of a process that change files or databases, as numbered steps at which it can be
ended.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import re
import sqlite3
import stat
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CALLS = ("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "truncate", "ftruncate")
_QUIET = ("SELECT", "PRAGMA user_version")  # statements that change nothing

_COMMENT = re.compile("--.*")
_NUMBERS = re.compile(r"\d+")
_TABLE = re.compile(r"\b(?:INTO|FROM|TABLE) (\w+)")


class Steps:
    """Numbers the steps of each kind, notes them, and sends a signal at a chosen one.

    A kind is a call and the name of what it is made on, below a folder and without numbers.

    Args:
        root: the folder; all paths outside it have one name.
        note: called with the kind of each step, before the step.
        kind: of the step at which to send the signal; empty for none.
        nth: which of this kind, from 1.
        when: `before` the step, `after` it, or, for a write, in the middle of it (`torn`).
        signals: sent to this process, one after the other.
    """

    def __init__(
        self,
        root: str,
        note: Callable[[str], None],
        kind: str = "",
        nth: int = 0,
        when: str = "before",
        signals: tuple[int, ...] = (),
    ) -> None:
        self._root = Path(root)
        self._note = note
        self._fatal = (kind, nth)
        self._when = when
        self._signals = signals
        self._taken: Counter[str] = Counter()
        self._turn = threading.Lock()

    @contextmanager
    def step(self, call: str, on: object = "") -> Iterator[bool]:
        """Take one step in the block; it yields whether to do only half of it."""
        kind = f"{call} {self._named(on)}".strip()
        with self._turn:
            self._taken[kind] += 1
            fatal = (kind, self._taken[kind]) == self._fatal
            self._note(kind)
        if fatal and self._when == "before":
            self._send()
        try:
            yield fatal and self._when == "torn"
        finally:  # also where the step failed, as making a folder that is there
            if fatal and self._when != "before":
                self._send()

    def watch(self) -> None:
        """Make every later change to files and databases by this process a step."""
        for name in _CALLS:
            setattr(os, name, self._watched(name, getattr(os, name)))
        os.open = self._watched_opening(os.open)
        os.fsync = self._watched_sync(os.fsync)
        io.open = self._watched_open(io.open)
        builtins.open = io.open
        sqlite3.connect = self._watched_connect(sqlite3.connect)

    def _send(self) -> None:
        for number in self._signals:
            os.kill(os.getpid(), number)

    def _named(self, on: object) -> str:
        if not isinstance(on, str | os.PathLike) or not Path(on).is_absolute():
            return on if isinstance(on, str) else ""
        path = Path(on)
        if not path.is_relative_to(self._root):
            return "elsewhere"
        return _NUMBERS.sub("N", str(path.relative_to(self._root)))

    def _watched(self, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def watched(path: Any, *args: Any, **options: Any) -> Any:
            with self.step(kind, path):
                return call(path, *args, **options)

        return watched

    def _watched_opening(self, call: Callable[..., int]) -> Callable[..., int]:
        def watched(path: Any, flags: int, *args: Any, **options: Any) -> int:
            if not flags & os.O_CREAT:
                return call(path, flags, *args, **options)
            with self.step("open", path):
                return call(path, flags, *args, **options)

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
            with ExitStack() as stack:
                with self.step("open", file):
                    opened = stack.enter_context(call(file, mode, *args, **options))
                stack.pop_all()  # it stays open unless a signal interrupted us here
            return _WatchedFile(opened, self, file)

        return watched

    def _watched_connect(self, call: Callable[..., Any]) -> Callable[..., Any]:
        steps = self

        class Watched(sqlite3.Connection):
            def execute(self, sql: str, *args: Any) -> Any:
                return self._do(super().execute, sql, *args)

            def executemany(self, sql: str, *args: Any) -> Any:
                return self._do(super().executemany, sql, *args)

            def close(self) -> None:
                with steps.step("sqlite close"):
                    super().close()

            def _do(self, call: Callable[..., Any], sql: str, *args: Any) -> Any:
                bare = _COMMENT.sub("", sql).strip()
                if not bare or bare.startswith(_QUIET):
                    return call(sql, *args)
                table = _TABLE.search(bare)
                with steps.step(f"sqlite {bare.split()[0].upper()}", table[1] if table else ""):
                    return call(sql, *args)

        def watched(*args: Any, **options: Any) -> sqlite3.Connection:
            with self.step("sqlite connect"):
                connection: sqlite3.Connection = call(*args, factory=Watched, **options)
                return connection

        return watched


class _WatchedFile:
    """A file open for writing; each write is a step."""

    def __init__(self, file: Any, steps: Steps, path: object) -> None:
        self._file = file
        self._steps = steps
        self._path = path

    def write(self, data: Any) -> int:
        with self._steps.step("write", self._path) as torn:
            if torn:
                self._file.write(data[: len(data) // 2])
                self._file.flush()
                return 0
            written: int = self._file.write(data)
            return written

    def flush(self) -> None:
        with self._steps.step("flush", self._path):
            self._file.flush()

    def __enter__(self) -> _WatchedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
