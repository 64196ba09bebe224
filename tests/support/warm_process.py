"""Runs of the command as forks of a warm process that has imported the program: they start at once.

A client sends arguments, folder, environment, patches and standard streams over a socket to `main`
of this module, and receives the process id and the exit code. Tests use `run`; shell scripts use
the programs `harvester` and `python`, which are put on their PATH.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.child_process import SLOW
from support.patched import apply

if TYPE_CHECKING:
    from collections.abc import Mapping

PATCHES = {"harvester.job.ncbi.RATE_WITHOUT_KEY": 400, "clock": "2026-01-10T12:00:00+00:00"}
"""Of the programs: quicker than at NCBI, and on a Saturday, within its hours."""

_CLIENT = """#!{python} -ISE
import json, os, socket, sys
order = {{"args": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ), "name": {name!r},
          "patches": {patches!r}}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"!"], [0, 1, 2])
    server.sendall(json.dumps(order).encode() + b"\\n")
    _, code = (server.makefile().read() + "\\n70").split("\\n")[:2]
    sys.exit(int(code or 70))
"""


class WarmProcess:
    """The warm process, started at the first use.

    Args:
        env: its environment; that of each run replaces it, but for what Python itself reads at its
            start, such as PYTHONWARNINGS.
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._env = env
        self._begin = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="warm-process-")
        self._process: subprocess.Popen[str] | None = None

    def programs(self) -> Path:
        """A folder with `harvester` and `python`, whose runs have the patches `PATCHES`."""
        folder = Path(self._address()).parent
        with self._begin:
            for name in ("harvester", "python"):
                path = folder / name
                if not path.exists():
                    address = str(folder / "socket")
                    path.write_text(
                        _CLIENT.format(
                            python=sys.executable, name=name, address=address, patches=PATCHES
                        )
                    )
                    path.chmod(0o755)
        return folder

    def run(
        self,
        args: list[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None,
        patches: Mapping[str, object],
        stdin: bytes,
        stdout: IO[bytes] | None,
        timeout: float,
    ) -> tuple[int, str, str]:
        """Run the command to its end.

        Args:
            args: its command line.
            env: its environment.
            cwd: its folder; None for that of this process.
            patches: see `support.patched`.
            stdin: what it reads from standard input, a pipe.
            stdout: what it writes its output to; None to return it.
            timeout: seconds after which it is killed.

        Returns:
            Exit code, or the negative number of the signal that ended it; output; errors.

        Raises:
            TimeoutError: it did not end in time; it was killed.
        """
        order = {
            "args": args, "cwd": str(cwd or Path.cwd()), "env": dict(env), "name": "harvester",
            "patches": dict(patches),
        }  # fmt: skip
        given, feed = os.pipe()
        with (
            socket.socket(socket.AF_UNIX) as server,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            server.connect(self._address())
            socket.send_fds(server, [b"!"], [given, (stdout or out).fileno(), err.fileno()])
            os.close(given)
            threading.Thread(target=_write, args=(feed, stdin), daemon=True).start()
            server.sendall(json.dumps(order).encode() + b"\n")
            with server.makefile() as answer:
                pid = int(answer.readline())
                server.settimeout(timeout)
                try:
                    code = int(answer.readline() or 70)
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    raise
            out.seek(0)
            err.seek(0)
            return (
                code,
                out.read().decode("utf-8", "replace"),
                err.read().decode("utf-8", "replace"),
            )

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate(timeout=120)
        self._folder.cleanup()

    def _address(self) -> str:
        address = str(Path(self._folder.name) / "socket")
        with self._begin:
            if self._process is None:
                pipe = subprocess.PIPE
                words = [sys.executable, __file__, address]
                self._process = subprocess.Popen(
                    words, stdin=pipe, stdout=pipe, text=True, env=self._env
                )
                assert self._process.stdout is not None
                assert self._process.stdout.readline() == "ready\n"
        return address


def _write(pipe: int, data: bytes) -> None:
    with suppress(BrokenPipeError), open(pipe, "wb") as stream:
        stream.write(data)


# --- the warm process -------------------------------------------------------------------------


def main() -> None:
    """Fork for each request, until standard input ends."""
    for name in SLOW:
        importlib.import_module(name)
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[1])
    server.listen(64)
    threading.Thread(target=_leave, daemon=True).start()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the forks that wait for runs end by themselves
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        caller, _ = server.accept()
        with caller:
            if os.fork() == 0:
                _serve(caller)


def _leave() -> None:
    os.read(0, 1)  # without the lock of sys.stdin, which the forks would inherit
    os._exit(0)


def _serve(caller: socket.socket) -> None:
    """Fork for a run, wait for its end, and report it. This process ends with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        _run(caller)
    caller.sendall(b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # the caller may have ended
        caller.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _run(caller: socket.socket) -> None:
    """Run the command in this process, which ends with it."""
    code = 70
    try:
        _, streams, _, _ = socket.recv_fds(caller, 1, 3)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        order = json.loads(caller.makefile().readline())
        caller.close()
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        sys.path[1:1] = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        apply(order["patches"])
        _do(order)
        code = 0
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else 0 if leave.code is None else 1
    except BaseException:  # noqa: BLE001 - a fork must not return into the loop
        sys.excepthook(*sys.exc_info())
    finally:
        gc.collect()  # objects never awaited or closed warn now, as at the end of a process
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)


def _do(order: dict[str, Any]) -> None:
    sys.argv = [order["name"], *order["args"]]
    if order["name"] == "harvester":
        from harvester.cli import main as harvester

        harvester()
    assert sys.argv[1] == "-c"
    exec(compile(sys.argv[2], "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main()
