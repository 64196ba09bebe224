"""Bad input as rows of a table: the command line, and parts of the error message.

For every row: exit code 2, one line, nothing written, no request sent.
"""

from __future__ import annotations

import shlex
import socket
from dataclasses import dataclass, field
from select import select
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.fork_server import ForkServer

SECRET = "5ec2e7" * 6
"""Stands for an API key; no sentence may repeat it."""

NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"


@dataclass(frozen=True)
class Bad:
    """A row of the table.

    Attributes:
        does: the command line as typed.
        says: parts of the error message: what is wrong and the remedy.
        files: name → content of files in the working folder.
        env: added to the environment.
        stdin: content of standard input.
        user: user id to run as; -1 for that of the test.
        name: name of the row, if its command line is not unique.
    """

    does: str
    says: tuple[str, ...]
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    user: int = -1
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.does.removeprefix(COMMON).strip() or str(self.says)


GOOD = 'link.dbfrom = "pubmed"\nsource.ids = "ids"\noutput.path = "out"\n'
"""A whole job."""

COMMON = "run --dbfrom=pubmed --ids=ids -o out "


def option(words: str, *says: str, **more: Any) -> Bad:
    """Return a valid command line with some more words."""
    return Bad(COMMON + words, says, {"ids": "1\n2\n3\n"}, **more)


def uid_list(content: str | bytes, *says: str, dbfrom: str = "pubmed", name: str = "") -> Bad:
    """Return a valid command line with another list."""
    name = name or f"{dbfrom}-{content!r}"
    return Bad(f"run --dbfrom={dbfrom} --ids=list -o out", says, {"list": content}, name=name)


def table(content: str | bytes, *says: str) -> Bad:
    """Return a valid command line with a table whose column pmid holds the UIDs."""
    does = "run --dbfrom=pubmed --ids=list --ids-column=pmid -o out"
    return Bad(does, says, {"list": content}, name=f"table-{content!r}")


def job_file(content: str | bytes, *says: str, words: str = "", **more: Any) -> Bad:
    """Return the command line that runs a job file."""
    name = repr(content).removeprefix(repr(GOOD)[:-1])[:40] + words
    files = {"job.toml": content, "ids": "1\n"}
    return Bad(f"run job.toml {words}", says, files, name=name, **more)


class UnusedServer:
    """A server that only counts connections; port 0 is any free one."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def base_url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/entrez/eutils/"

    def connections(self) -> int:
        """Return the number of connections since the last call; the system completes them by
        itself.
        """
        count = 0
        while select([self._socket], [], [], 0)[0]:
            self._socket.accept()[0].close()
            count += 1
        return count


def assert_refused(bad: Bad, folder: Path, fork_server: ForkServer, unused: UnusedServer) -> None:
    """Assert one clear error message and no other effect."""
    for name, content in bad.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    stdin = folder / "stdin"
    stdin.write_bytes(bad.stdin)
    before = tree(folder)
    assert unused.connections() == 0
    env = {"HARVESTER_BASE_URL": unused.base_url, "HOME": str(folder), **bad.env}
    ended = fork_server.run(
        shlex.split(bad.does), env=env, cwd=str(folder), stdin=str(stdin), user=bad.user
    )
    assert ended.output.startswith("harvester: "), ended.output
    assert ended.output.count("\n") == 1, ended.output
    assert ended.output.rstrip("\n").isprintable(), ended.output
    for part in bad.says:
        assert part in ended.output, ended.output
    assert SECRET not in ended.output
    assert ended.code == 2, ended.output
    assert tree(folder) == before, "something was written"
    assert unused.connections() == 0, "a request was sent"


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every file of a folder with its content, and every folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
