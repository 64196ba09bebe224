"""The child side of the fork server: imports the program once, then forks for each run.

Requests are read from standard input, one JSON object per line (see `RunRequest`). The answer to
each is a line with the exit code, or the negative number of the signal that ended the fork.
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

from harvester.store.state import State
from support.patched import apply
from support.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.store.state_reader import StateReader

SLOW = (
    "aiohttp", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "uvloop",
    "harvester.cli.commands.resume", "harvester.cli.commands.run", "harvester.cli.session",
    "harvester.cli.commands.status",
    "harvester.api.harvest", "harvester.store.sinks.jsonl", "harvester.store.sinks.parquet",
)  # fmt: skip


@dataclass(frozen=True)
class RunRequest:
    """One run of the command.

    Attributes:
        args: its command line.
        output: a file for standard output and error.
        seconds: time limit; SIGALRM ends the run after it.
        env: added to the environment.
        patches: constants of the program, and the clock; see `support.patched`.
        stdin: a file for standard input; empty by default.
        cwd: working folder; empty for this process's own.
        user: user id to run as; -1 for this process's own.
        steps: a file for the kind of each step (see `Steps`), one per line; empty for none.
        root: the folder below which steps have names, and calls are recorded.
        kind, nth, when: the step at which the run receives signals.
        signals: the signals.
        record: a file for all calls (see `recorder.c`); empty for none.
        most_bytes: file size limit; the system ends the run during the write that exceeds it.
            0 for no limit.
        wal_pages: pages after which SQLite copies its log into the database; 0 for the default.
    """

    args: list[str]
    output: str
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


def run_command(request: RunRequest) -> None:
    """Run the command in this process; the process ends with it."""
    signal.setitimer(signal.ITIMER_REAL, request.seconds)
    said = os.open(request.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(request.stdin, os.O_RDONLY), 0)
    os.environ.update(request.env)
    apply(request.patches)
    if request.wal_pages:
        setattr(sqlite3, "connect", partial(_connect, sqlite3.connect, request.wal_pages))  # noqa: B010 - it has overloads
    if request.steps:
        steps = os.open(request.steps, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

        def note(kind: str) -> None:
            os.write(steps, kind.encode() + b"\n")

        signals = tuple(request.signals)
        Steps(request.root, note, request.kind, request.nth, request.when, signals).watch()
    if request.record:
        _record(request.record, request.root)
    if request.most_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (request.most_bytes, request.most_bytes))
    sys.argv = ["harvester", *request.args]
    from harvester.cli import main

    if request.cwd:
        os.chdir(request.cwd)
    if request.user != -1:
        os.setuid(request.user)

    main()


def _connect(
    call: Callable[..., sqlite3.Connection], wal_pages: int, *args: Any, **options: Any
) -> sqlite3.Connection:
    connection = call(*args, **options)
    connection.execute(f"PRAGMA wal_autocheckpoint = {wal_pages}")
    return connection


def _record(file: str, root: str) -> None:
    """Record all calls, and after each transaction a mark of what is committed."""
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
    """Return what is committed, as `status` reports it: UIDs per outcome, links, and parts."""
    parts = [part.name for part in state.parts("links", "uids", "unanswered")]
    return [dict(sorted(state.outcomes().items())), state.links(), parts]


def main() -> None:
    """Serve requests until standard input ends."""
    for name in SLOW:
        importlib.import_module(name)
    for line in sys.stdin:
        request = RunRequest(**json.loads(line))
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                run_command(request)
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
