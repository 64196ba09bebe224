"""Runs the command in forks of itself: whatever is imported slowly is imported once.

Orders are read from stdin, a JSON object a line (see `Order`); each is answered by a line with
the exit code, negative for the signal that ended the fork. A fork may be told to die at a step.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from end_to_end.steps import Steps

SLOW = (
    "aiohttp", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "uvloop",
    "harvester.cli.resume", "harvester.cli.run", "harvester.cli.session", "harvester.cli.status",
    "harvester.doors", "harvester.sinks.jsonl", "harvester.sinks.parquet",
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
        kind, nth, when: the step to die at.
    """

    args: list[str]
    said: str
    seconds: int = 90
    env: dict[str, str] = field(default_factory=dict)
    patches: dict[str, Any] = field(default_factory=dict)
    stdin: str = os.devnull
    cwd: str = ""
    user: int = -1
    steps: str = ""
    kind: str = ""
    nth: int = 0
    when: str = "before"


def obey(order: Order) -> None:
    """Run the command in this process, which ends with it."""
    signal.alarm(order.seconds)
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
    if order.steps:
        steps = os.open(order.steps, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

        def note(kind: str) -> None:
            os.write(steps, kind.encode() + b"\n")

        Steps(note, order.kind, order.nth, order.when).watch()
    sys.argv = ["harvester", *order.args]
    from harvester.cli import main

    if order.cwd:
        os.chdir(order.cwd)
    if order.user != -1:
        os.setuid(order.user)

    main()


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
