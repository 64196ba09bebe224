"""Runs the command in forks of itself: whatever is imported slowly is imported once.

Orders are read from stdin, a JSON object a line (see `Order`); each is answered by a line with
the exit code, negative for the signal that ended the fork. A fork may be told to die at a step.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import sqlite3
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from harvester.store.state import State, StateReader
from support.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable

SLOW = (
    "aiohttp", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "uvloop",
    "harvester.cli.commands.resume", "harvester.cli.commands.run", "harvester.cli.session",
    "harvester.cli.commands.status",
    "harvester.api.harvest", "harvester.store.sinks.jsonl", "harvester.store.sinks.parquet",
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """One run of the command.

    Attributes:
        args: its command line.
        said: a file for what it says.
        seconds: after which it is ended, by SIGALRM.
        env: what is added to the environment.
        patches: names of constants of the program, and other values for them.
        stdin: a file for standard input; by default there is nothing in it.
        cwd: the folder it runs in; empty for this one.
        user: whom it runs as, by number; -1 for the same as this process.
        steps: a file for the kind of each step (see `Steps`), a line each; empty for none.
        root: the folder below which steps have names, and calls are recorded.
        kind, nth, when: the step to send signals at.
        signals: which ones.
        record: a file for all calls (see `recorder.c`); empty for none.
        most_bytes: of a file; the system ends the run in the midst of the write that makes one
            longer. 0 for no such limit.
        wal_pages: after so many SQLite copies its log into the database; 0 for its own choice.
    """

    args: list[str]
    said: str
    seconds: float = 180.0
    env: dict[str, str] = field(default_factory=dict)
    patches: dict[str, Any] = field(default_factory=dict)
    stdin: str = os.devnull
    cwd: str = ""
    user: int = -1
    steps: str = ""
    root: str = ""
    kind: str = ""
    nth: int = 0
    when: str = "before"
    signals: tuple[int, ...] = (signal.SIGKILL,)
    record: str = ""
    most_bytes: int = 0
    wal_pages: int = 0


def obey(order: Order) -> None:
    """Run the command in this process, which ends with it."""
    signal.setitimer(signal.ITIMER_REAL, order.seconds)
    said = os.open(order.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(order.stdin, os.O_RDONLY), 0)
    os.environ.update(order.env)
    for name, value in order.patches.items():
        module, _, attribute = name.rpartition(".")
        if not hasattr(sys.modules[module], attribute):
            raise SystemExit(f"there is no {name} to change")
        setattr(sys.modules[module], attribute, value)
    if order.wal_pages:
        setattr(sqlite3, "connect", partial(_connect, sqlite3.connect, order.wal_pages))  # noqa: B010 - it has overloads
    if order.steps:
        steps = os.open(order.steps, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

        def note(kind: str) -> None:
            os.write(steps, kind.encode() + b"\n")

        signals = tuple(order.signals)
        Steps(order.root, note, order.kind, order.nth, order.when, signals).watch()
    if order.record:
        _record(order.record, order.root)
    if order.most_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.most_bytes, order.most_bytes))
    sys.argv = ["harvester", *order.args]
    from harvester.cli import main

    if order.cwd:
        os.chdir(order.cwd)
    if order.user != -1:
        os.setuid(order.user)

    main()


def _connect(
    call: Callable[..., sqlite3.Connection], wal_pages: int, *args: Any, **options: Any
) -> sqlite3.Connection:
    connection = call(*args, **options)
    connection.execute(f"PRAGMA wal_autocheckpoint = {wal_pages}")
    return connection


def _record(file: str, root: str) -> None:
    """Have all calls noted, with a mark of what is committed after each transaction."""
    recorder = ctypes.CDLL(None)
    recorder.record(file.encode(), root.encode())

    def marked(change: Callable[..., None]) -> Callable[..., None]:
        def changed(state: State, *args: Any, **options: Any) -> None:
            change(state, *args, **options)
            recorder.mark(json.dumps(committed(state)).encode())

        return changed

    for name in ("commit", "replace_parts", "replace_all", "forget", "put"):
        setattr(State, name, marked(getattr(State, name)))


def committed(state: StateReader) -> list[Any]:
    """What `status` tells of what is committed: UIDs of each outcome, links, and parts."""
    parts = [part.name for part in state.parts("links", "uids", "unanswered")]
    return [dict(sorted(state.outcomes().items())), state.links(), parts]


def main() -> None:
    """Obey orders until there are no more."""
    for name in SLOW:
        importlib.import_module(name)
    for line in sys.stdin:
        order = Order(**json.loads(line))
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                obey(order)
            except SystemExit as leave:
                code = leave.code if isinstance(leave.code, int) else 1
            except BaseException:  # noqa: BLE001 - a fork must not return into the loop
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
