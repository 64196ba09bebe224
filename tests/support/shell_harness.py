"""`harvester` and `python` for shell scripts, as forks of a warm process: they start at once.

A program on the PATH sends its arguments, folder, environment and standard streams over a socket to
this module's `main`, and ends with the exit code that comes back.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.child_process import SLOW
from support.patched import change

CHANGES = ("harvester.job.ncbi.RATE_WITHOUT_KEY=400", 'clock="2026-01-10T12:00:00+00:00"')
"""Quicker than at NCBI, and on a Saturday, within its hours."""

_CLIENT = """#!{python} -ISE
import json, os, socket, sys
order = {{"args": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ), "name": {name!r}}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"!"], [0, 1, 2])
    server.sendall(json.dumps(order).encode() + b"\\n")
    sys.exit(int(server.makefile().readline() or 70))
"""


class ShellHarness:
    """The warm process, begun when it is first needed."""

    def __init__(self) -> None:
        self._begin = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="shell-harness-")
        self._process: subprocess.Popen[str] | None = None

    def programs(self) -> Path:
        """A folder with `harvester` and `python`."""
        folder = Path(self._folder.name)
        with self._begin:
            if self._process is None:
                self._process = self._begun(folder)
        return folder

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate(timeout=30)
        self._folder.cleanup()

    def _begun(self, folder: Path) -> subprocess.Popen[str]:
        address = str(folder / "socket")
        for name in ("harvester", "python"):
            path = folder / name
            path.write_text(_CLIENT.format(python=sys.executable, name=name, address=address))
            path.chmod(0o755)
        words = [sys.executable, __file__, address]
        pipe = subprocess.PIPE
        process = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process


# --- the warm process -------------------------------------------------------------------------


def main() -> None:
    """Fork for each program that calls, until standard input ends."""
    for name in SLOW:
        importlib.import_module(name)
    change(CHANGES)
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[1])
    server.listen(64)
    threading.Thread(target=_leave, daemon=True).start()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        caller, _ = server.accept()
        with caller:
            if os.fork() == 0:
                _serve(caller)


def _leave() -> None:
    sys.stdin.read()
    os._exit(0)


def _serve(caller: socket.socket) -> None:
    """Do what a program was called for, in this process, which ends with it."""
    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _, streams, _, _ = socket.recv_fds(caller, 1, 3)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        order = json.loads(caller.makefile().readline())
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        _run(order)
        code = 0
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else 0 if leave.code is None else 1
    except BaseException:  # noqa: BLE001 - a fork must not return into the loop
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        caller.sendall(b"%d\n" % code)
        os._exit(code)


def _run(order: dict[str, Any]) -> None:
    sys.argv = [order["name"], *order["args"]]
    if order["name"] == "harvester":
        from harvester.cli import main as harvester

        harvester()
    assert sys.argv[1] == "-c"
    exec(compile(sys.argv[2], "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main()
