"""Damaged, truncated, edited or missing files: one error message names them, nothing gets worse.

After a backup is restored, `resume` is exact.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from support.fork_server import KillPoint
from support.harness import assert_exact, digests, expected_links, write_uids
from support.scenarios import Scenario
from support.small_disks import assert_one_sentence
from support.timing import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from support.fork_server import ForkServer
    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 61)
DATABASE = ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm")


@dataclass(frozen=True)
class Harvest:
    """A harvest that was killed in the middle, and a copy of its folder.

    Attributes:
        servers: to run the command.
        folder: holds `out`, its `copy`, and the list.
        server: that was asked.
    """

    servers: Servers
    folder: Path
    server: Emulator

    @property
    def out(self) -> Path:
        """The harvest's folder."""
        return self.folder / "out"

    def command_line(self) -> list[object]:
        """The command line of the run."""
        return [
            "run", "--ids", write_uids(self.folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
            "--base-url", self.server.base_url, "--batch-size=2", "--rate=100", "-o", self.out,
        ]  # fmt: skip

    def restore(self) -> None:
        """Replace the folder by its copy."""
        shutil.rmtree(self.out)
        shutil.copytree(self.folder / "copy", self.out)

    def assert_untouched(self, but: Sequence[str] = DATABASE) -> None:
        """Assert that every file is as in the copy, except those in `but`."""
        copy = self.folder / "copy"
        for path in copy.rglob("*"):
            name = path.relative_to(copy)
            if path.is_file() and path.name[0] != "." and str(name) not in but:
                assert (self.out / name).read_bytes() == path.read_bytes(), name

    def assert_resumes(self) -> None:
        """Restore the copy; assert that `resume` ends with exact results."""
        self.restore()
        resumed = self.servers.harvester("resume", self.out)
        assert resumed.code == 0, resumed.err
        truth = expected_links(self.server.graph, "pubmed", UIDS, ("pmc",))
        assert_exact(self.out, "pubmed", UIDS, truth)


def harvest(servers: Servers, folder: Path, state: str) -> Harvest:
    """Make a harvest. `closed`: complete, no SQLite log; `killed`: some commits, with a log."""
    made = Harvest(servers, folder, servers.start(latency=(0.05,)))
    if state == "closed":
        assert servers.harvester(*made.command_line(), patches=ALWAYS).code == 0
    else:
        with servers.fork_server() as fork_server:
            kill_point = KillPoint("replace links/.part-N.parquet.tmp", 4, "before")
            command_line = [*made.command_line(), "--rate=25"]
            ended = fork_server.run(command_line, kill_point, patches=ALWAYS, root=str(made.out))
        assert ended.killed, ended.output
        servers.read_all()  # what it had sent is in the log before anything is counted
    assert parts(made.out, "links")
    shutil.copytree(made.out, folder / "copy")
    return made


def put(path: Path, data: bytes | None) -> None:
    """Replace the content of a file; None deletes it."""
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)


def parts(out: Path, kind: str) -> list[Path]:
    """Return the files of `links` or `uids` that have their final names."""
    return sorted((out / kind).glob("part-*"))


# --- parts ------------------------------------------------------------------------------------


def _gone(_: bytes) -> None:
    return None


def _cut(data: bytes) -> bytes:
    return data[:-1]


def _cut_to_nothing(data: bytes) -> bytes:
    return b""


def _longer(data: bytes) -> bytes:
    return data + b"\0"


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def a_part(servers: Servers, folder: Path, state: str) -> None:
    """A part that is missing, cut, grown or has a flipped bit is named by all commands."""
    made = harvest(servers, folder, state)
    for kind in ("links", "uids"):
        part = parts(made.out, kind)[0]
        whole = part.read_bytes()
        for damage in (_gone, _cut, _cut_to_nothing, _longer, _flipped):
            put(part, damage(whole))
            asked = len(made.server.log)
            for words in (["resume", made.out], made.command_line()):
                assert_one_sentence(servers.harvester(*words), str(part), "backup")
            checked = servers.harvester("verify", made.out)
            assert checked.code == 1
            assert part.name in checked.output
            assert servers.harvester("status", made.out).code == 0
            assert (part.read_bytes() if part.exists() else None) == damage(whole)
            assert len(made.server.log) == asked
            put(part, whole)
            made.assert_untouched()
    made.assert_resumes()


# --- the state --------------------------------------------------------------------------------


def _spoilt(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file cut and with flipped bits at many places: all of its head, and a sample
    elsewhere.
    """
    yield "no database", b"This is no database, whatever its name says." * 100
    step = max(1, len(data) // 24)
    for end in (*range(0, len(data), step), len(data) - 1, 1, 16, 50, 100):
        yield f"cut at {end}", data[:end]
    for place in (*range(0, 100, 3), *range(100, len(data), step)):
        for bit in (1, 128):
            byte = bytes([data[place] ^ bit])
            yield f"bit {bit} at {place}", data[:place] + byte + data[place + 1 :]


def the_state(servers: Servers, folder: Path, state: str, name: str, every: int = 4) -> None:
    """Damage at any place: the file is refused by name and nothing changes, or nothing is lost."""
    made = harvest(servers, folder, state)
    truth = expected_links(made.server.graph, "pubmed", UIDS, ("pmc",))
    wrong = []
    with servers.fork_server() as fork_server:
        spoilt = _spoilt((folder / "copy" / name).read_bytes())
        for what, data in islice(spoilt, 0, None, every):
            made.restore()
            (made.out / name).write_bytes(data)
            why = _judge(made, fork_server)
            if why is None and (made.out / "state.sqlite").stat().st_size:
                try:
                    assert_exact(made.out, "pubmed", UIDS, truth)
                except AssertionError as error:
                    why = f"it was not refused, and is not exact: {error}"
            if why not in (None, "refused"):
                wrong.append(f"{what}: {why}")
    assert not wrong, f"{len(wrong)} went wrong; " + "\n".join(wrong[:8])
    made.assert_resumes()


def _judge(made: Harvest, fork_server: ForkServer) -> str | None:
    """Return what is wrong with the reaction to a damaged state; `refused` if correctly refused."""
    looked = fork_server.run(["status", made.out])
    ended = fork_server.run([*made.command_line(), "--rate=1000"])
    for one, code in ((looked, 0), (ended, 0)):
        if one.code == code:
            continue
        if one.code != 1 or one.output.count("harvester: ") != 1 or "Traceback" in one.output:
            return f"exit code {one.code}: {one.output[-300:]}"
        if str(made.out) not in one.output.splitlines()[-1]:
            return f"it is not named: {one.output}"
        if "make room" in one.output:
            return f"a wrong remedy: {one.output}"
    if ended.code == 0:
        return None
    try:
        made.assert_untouched(("job.toml", *DATABASE))  # the job is written with its new rate
    except (AssertionError, OSError) as error:
        return f"refused, but touched: {error}"
    return "refused"


def a_newer_version(servers: Servers, folder: Path) -> None:
    """A newer version is refused with the advice to update; nothing is changed."""
    made = harvest(servers, folder, "closed")
    with closing(sqlite3.connect(made.out / "state.sqlite")) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(f"PRAGMA user_version = {version + 1}")
    before = (made.out / "state.sqlite").read_bytes()
    for words in (["resume", made.out], made.command_line(), ["status", made.out]):
        assert_one_sentence(servers.harvester(*words), "newer version", "update")
    assert (made.out / "state.sqlite").read_bytes() == before
    made.assert_untouched()
    made.assert_resumes()


# --- the job ----------------------------------------------------------------------------------

JOBS: dict[str, Callable[[str], bytes | None]] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "cut": lambda text: text[: len(text) // 2].encode() + b"\n[",
    "binary": lambda text: text.encode("utf-16"),
    "noughts": lambda text: bytes(len(text)),
    "unknown": lambda text: text.replace("dbfrom", "dbform").encode(),
}


def the_job(servers: Servers, folder: Path, how: str) -> None:
    """`resume` names the damaged job file with exit code 2; `run` with the options replaces it."""
    made = harvest(servers, folder, "killed")
    job = made.out / "job.toml"
    put(job, JOBS[how](job.read_text()))
    assert_one_sentence(servers.harvester("resume", made.out), "job.toml", code=2)
    for form in ([], ["--json"]):
        looked = servers.harvester("status", made.out, *form)
        if looked.code:
            assert_one_sentence(looked, "job.toml")
    made.assert_untouched(("job.toml", *DATABASE))
    finished = servers.harvester(*made.command_line())
    assert finished.code == 0, finished.err
    truth = expected_links(made.server.graph, "pubmed", UIDS, ("pmc",))
    assert_exact(made.out, "pubmed", UIDS, truth)
    before = digests(made.out)
    assert servers.harvester("resume", made.out).code == 0
    assert digests(made.out) == before


def another_job(servers: Servers, folder: Path) -> None:
    """A job file edited to request something else is refused; the message names the difference."""
    made = harvest(servers, folder, "killed")
    job = made.out / "job.toml"
    job.write_text(job.read_text().replace('"pmc"', '"gene"'))
    edited = job.read_text()
    assert_one_sentence(servers.harvester("resume", made.out), "link.db", "gene", code=2)
    assert job.read_text() == edited
    made.assert_untouched(("job.toml", *DATABASE))
    made.assert_resumes()


SCENARIOS = [Scenario(a_part, state) for state in ("closed", "killed")]
SCENARIOS += [Scenario(the_state, state, "state.sqlite") for state in ("closed", "killed")]
SCENARIOS += [Scenario(the_state, "killed", "state.sqlite-wal"), Scenario(a_newer_version)]
SCENARIOS += [Scenario(the_job, how) for how in JOBS]
SCENARIOS += [Scenario(another_job)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_damage_is_repaired_or_reported(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


@pytest.mark.torture
@pytest.mark.parametrize(
    ("state", "name"), [("closed", DATABASE[0]), ("killed", DATABASE[0]), ("killed", DATABASE[1])]
)
def test_a_state_damaged_anywhere(servers: Servers, tmp_path: Path, state: str, name: str) -> None:
    the_state(servers, tmp_path, state, name, every=1)
