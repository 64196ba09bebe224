"""-q, -v and --log-json: the same three options, obeyed by every command."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.harness import command, environment, harvester, write_uids
from support.schemas import assert_follows

from harvester.cli import COMMANDS, main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.servers import Servers

ROWS = {
    "run": "run --ids IDS --dbfrom pubmed --db pmc --rate 100 -o NEW",
    "resume": "resume OUT",
    "status": "status OUT",
    "plan": "plan --ids IDS --dbfrom pubmed --db pmc -o NEW.toml",
    "verify": "verify OUT --resample 100%",
    "doctor": "doctor",
    "report": "report OUT",
    "top": "top EMPTY",
    "around": "around OUT pubmed:1 --to graphml NEW.graphml",
    "export": "export OUT --to csv NEW.csv",
    "diff": "diff OUT OUT",
    "merge": "merge NEW SHARD1 SHARD2",
    "records": "records OUT",
    "reparse": "reparse OUT",
    "databases": "databases",
    "linknames": "linknames --graph NEW.svg",
    "counts": "counts asthma",
    "emulate": "emulate --list-faults",
    "demo": "demo --help",
}
"""Each command at its work. Words in capitals are files; those with NEW do not exist yet."""


@dataclass(frozen=True)
class Said:
    """The output of a command."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def folders(all_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a harvest, an empty one, the shards of one, and a list of UIDs."""
    folder = tmp_path_factory.mktemp("verbosity")
    with all_servers.group() as servers:
        url = servers.start(egquery=True).base_url
        (folder / "url").write_text(url)
        ids = write_uids(folder / "IDS", range(1, 6))
        common = ("--dbfrom=pubmed", "--rate=100", "--base-url", url, "-q")
        for out, more in {
            "OUT": ("--db=pmc,gene", "--keep-raw"),
            "EMPTY": ("--db=pmc", "--linkname=pubmed_pmc_local"),
            "SHARD1": ("--db=pmc", "--shard=1/2"),
            "SHARD2": ("--db=pmc", "--shard=2/2"),
        }.items():
            done = harvester("run", "--ids", ids, *common, *more, "-o", folder / out)
            assert (done.code, done.output) == (0, ""), done.output
        yield folder


@pytest.fixture
def say(
    folders: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., Said]:
    """Run the program in this process."""
    monkeypatch.setenv("HARVESTER_BASE_URL", (folders / "url").read_text())
    monkeypatch.setenv("NCBI_API_KEY", "a" * 36)  # more requests a second
    monkeypatch.setattr("harvester.cli.session.keep_memory", lambda: None)
    made = iter(range(100))

    def run(line: str) -> Said:
        new = str(tmp_path / f"new{next(made)}")
        words = [
            word.replace("NEW", new) if "NEW" in word else str(folders / word)
            if word.isupper() and (folders / word).exists() else word
            for word in shlex.split(line)
        ]  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["harvester", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, said.out, said.err)

    return run


def test_the_table_has_every_command() -> None:
    assert ROWS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", ROWS)
def test_commands_obey_q_v_and_log_json(name: str, say: Callable[..., Said]) -> None:
    """-q leaves only the result, -v adds details, --log-json writes JSON."""
    plain, quiet = say(ROWS[name]), say(f"{ROWS[name]} -q")
    loud, logged = say(f"{ROWS[name]} -v"), say(f"{ROWS[name]} --log-json")
    hushed = say(f"-q {ROWS[name]} --log-json")
    assert [one.code for one in (quiet, loud, logged, hushed)] == [plain.code] * 4
    assert plain.code == 0, plain.err
    assert quiet.err == hushed.err == ""
    assert " took " not in plain.err
    assert " took " in loud.err or name == "demo"
    lines = [json.loads(line) for line in logged.err.splitlines()]
    assert lines or not plain.err or name == "databases"  # it says that it fills its cache
    for line in lines:
        assert_follows("events", line)
    if name != "plan":  # its result may be the file of -o
        assert bool(quiet.out) == bool(loud.out) == bool(logged.out) == bool(plain.out)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("line", ["{} --log-json --zzz", "--log-json {} --zzz"])
def test_a_wrong_command_line_is_json_too(line: str, name: str, say: Callable[..., Said]) -> None:
    said = say(line.format(name))
    assert said.code == 2
    error = json.loads(said.err)
    assert_follows("events", error)
    assert (error["event"], error["exit_code"]) == ("Error", 2)
    assert "--zzz" in error["message"]


@pytest.mark.parametrize(
    "line", ["status nowhere -q", "-q status nowhere", "-q zzz", "top OUT -q -n x"]
)
def test_quiet_keeps_errors(line: str, say: Callable[..., Said]) -> None:
    said = say(line)
    assert said.code == 2
    assert said.err.startswith("harvester: ")


def test_an_unforeseen_error_is_json_too(
    say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("harvester.api.folder.status", broken)
    error = json.loads(say("status OUT --log-json").err)
    assert_follows("events", error)
    assert "by zero" in error["message"]
    assert error["exit_code"] == 1


def test_the_command_at_the_end_speaks_json_too(say: Callable[..., Said]) -> None:
    said = say(f"{ROWS['run']} --on-end 'echo done; echo bad >&2' --log-json")
    last = [json.loads(line) for line in said.err.splitlines()][-1]
    assert_follows("events", last)
    assert last["message"] == "done\nbad"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("run --ids {0}/IDS --dbfrom pubmed --db pmc --rate 100 -o {1}", 0),
        ("run --ids {0}/IDS --dbfrom pubmed --db pmc --rate 100 -o {1} -v --log-json", 0),
        ("status {1}", 2),
    ],
)
def test_a_full_disk_of_the_log_changes_no_exit_code(
    folders: Path, tmp_path: Path, line: str, code: int
) -> None:
    out = tmp_path / "out"
    env = environment(HARVESTER_BASE_URL=(folders / "url").read_text())
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(*line.format(folders, out).split()), stderr=full, env=env, check=False
        )
    assert done.returncode == code
    assert (out / "manifest.json").exists() == (code == 0)
