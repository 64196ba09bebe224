"""The `harvester` command as a subprocess, and its folder read back without any of its code."""

from __future__ import annotations

import atexit
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from harvester.api.folder import status as status  # noqa: PLC0414 - tests ask it here
from harvester.emulator import Graph, truth
from support.manifests import assert_absent_or_exact
from support.schemas import assert_status
from support.warm_process import WarmProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

PATCHED = Path(__file__).with_name("patched.py")
"""A script that runs the command with some constants of the program changed."""

WITHOUT = Path(__file__).parent / "without"
"""A folder of packages that cannot be imported."""

_OURS = {"NCBI_API_KEY", "NCBI_EMAIL", "HARVESTER_BASE_URL", "HARVESTER_REDIS_PASSWORD"}
_SIZES = {"COLUMNS", "LINES"}  # of the terminal that the tests were started in

LINKS = pa.schema(
    [
        ("dbfrom", pa.string()),
        ("from_uid", pa.int64()),
        ("dbto", pa.string()),
        ("linkname", pa.string()),
        ("to_uid", pa.int64()),
        ("score", pa.int64()),
        ("rank", pa.int32()),
    ]
)
UIDS = pa.schema(
    [
        ("dbfrom", pa.string()),
        ("from_uid", pa.int64()),
        ("outcome", pa.string()),
        ("links", pa.int64()),
        ("reason", pa.string()),
    ]
)
_NAMES = pa.dictionary(pa.int32(), pa.string())
_DICTIONARIES = ("dbfrom", "dbto", "linkname", "outcome")


# --- the command ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def output(self) -> str:
        """Standard output and standard error."""
        return self.out + self.err


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without the program's variables, and with `more`."""
    clean = {name: value for name, value in os.environ.items() if name not in _OURS | _SIZES}
    return clean | {"PYTHONWARNINGS": "error"} | more


def environment_without_pandas(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of the command installed without pandas (see `support/without`)."""
    found = environment(**(env or {}))
    paths = filter(None, [str(WITHOUT), found.get("PYTHONPATH")])
    return found | {"PYTHONPATH": os.pathsep.join(paths)}


def command(*args: object, patches: Mapping[str, object] | None = None) -> list[str]:
    """Return the command line of `harvester ARGS`, with constants of the program changed by
    `patches`.
    """
    words = [str(arg) for arg in args]
    if patches is None:
        return [sys.executable, "-m", "harvester", *words]
    changed = [f"{name}={json.dumps(value)}" for name, value in patches.items()]
    return [sys.executable, str(PATCHED), *changed, "--", *words]


def harvester(
    *args: object,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = 180.0,
    patches: Mapping[str, object] | None = None,
    cwd: Path | None = None,
    stdout: IO[bytes] | None = None,
) -> Finished:
    """Run `harvester ARGS` to its end; assert that there is no traceback."""
    begun = time.monotonic()
    code, out, err = _warm_process().run(
        [str(arg) for arg in args],
        env=environment_without_pandas(env),
        cwd=cwd,
        patches=patches or {},
        stdin=stdin,
        stdout=stdout,
        timeout=timeout,
    )
    finished = Finished(code, out, err, time.monotonic() - begun)
    assert_polite(finished.output)
    return finished


@cache
def _warm_process() -> WarmProcess:
    """Return the process from which the runs of all tests are forked; it ends with this one."""
    process = WarmProcess(environment_without_pandas())
    atexit.register(process.close)
    return process


def assert_polite(said: str) -> None:
    """Assert that no traceback and no warning was printed."""
    for word in ("Traceback", "Exception ignored", "was never awaited", "Warning:"):
        assert word not in said, said


class Running:
    """A running command. Its standard error goes to a file, so that it never blocks."""

    def __init__(self, process: subprocess.Popen[bytes], err: IO[bytes]) -> None:
        self.process = process
        self._err = err
        self._begun = time.monotonic()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def stderr(self) -> str:
        """Return what it wrote to standard error so far."""
        return Path(self._err.name).read_text("utf-8", "replace")

    def signal(self, signum: int) -> None:
        """Send a signal."""
        self.process.send_signal(signum)

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self.process.kill()
        self.process.wait(60)

    def ended(self, timeout: float = 120.0) -> Finished:
        """Wait for its end and return it."""
        code = self.process.wait(timeout)
        return Finished(code, "", self.stderr(), time.monotonic() - self._begun)

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None


@contextmanager
def running(
    *args: object,
    err: Path,
    env: Mapping[str, str] | None = None,
    patches: Mapping[str, object] | None = None,
    cwd: Path | None = None,
    out: int = subprocess.DEVNULL,
) -> Iterator[Running]:
    """Run `harvester ARGS` in the background; kill it at the end of the block.

    Args:
        args: the command line.
        err: a file for what it says.
        env: more environment.
        patches: see `command`.
        cwd: the folder it runs in.
        out: descriptor of its standard output.
    """
    with err.open("wb") as stream:
        process = subprocess.Popen(
            command(*args, patches=patches),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=stream,
            env=environment_without_pandas(env),
            cwd=cwd,
        )
        try:
            yield Running(process, stream)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(60)


@contextmanager
def emulate(*options: object) -> Iterator[str]:
    """Run `harvester emulate OPTIONS` as a process; yield its address."""
    process = subprocess.Popen(
        command("emulate", "--port=0", *options),
        stdout=subprocess.PIPE,
        text=True,
        env=environment_without_pandas(),
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=60)


def wait_until(
    condition: Callable[[], object], what: str, *, seconds: float = 180.0, pause: float = 0.02
) -> None:
    """Wait until a condition is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(pause)


def status_command(folder: Path) -> dict[str, Any]:
    """Return the object of `harvester status --json`."""
    finished = harvester("status", folder, "--json")
    assert finished.code == 0, finished.err
    said: dict[str, Any] = json.loads(finished.out)
    assert_status(said)
    return said


# --- the folder -----------------------------------------------------------------------------


def rows(folder: Path, kind: str) -> pa.Table:
    """Return all rows of `links` or `uids`, from files of any format."""
    schema = LINKS if kind == "links" else UIDS
    tables = [schema.empty_table()]
    tables += [_read(path, schema) for path in sorted((folder / kind).iterdir())]
    return pa.concat_tables(tables)


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read()
        typed = [
            (name, _NAMES if name in _DICTIONARIES else kind)
            for name, kind in zip(schema.names, schema.types, strict=True)
        ]
        assert table.schema.remove_metadata() == pa.schema(typed), path
        return table.cast(schema)
    lines = [json.loads(line) for line in _text(path).splitlines()]
    assert all(list(line) == schema.names for line in lines), path
    assert all(type(line["from_uid"]) is int for line in lines), path
    return pa.Table.from_pylist(lines, schema=schema)


def _text(path: Path) -> str:
    data = path.read_bytes()
    match "".join(path.suffixes):
        case ".jsonl":
            return data.decode()
        case ".jsonl.gz":
            return gzip.decompress(data).decode()
        case ".jsonl.zst":
            stream = zstandard.ZstdDecompressor().stream_reader(
                io.BytesIO(data), read_across_frames=True
            )
            return stream.read().decode()
    raise AssertionError(f"{path} does not belong here")


def assert_same(found: pa.Table, expected: pa.Table) -> None:
    """Assert that both have the same rows, equally often; show examples of a difference."""
    keys = [(name, "ascending") for name in expected.column_names]
    if found.sort_by(keys).equals(expected.sort_by(keys)):
        return
    have = Counter(tuple(row.values()) for row in found.to_pylist())
    want = Counter(tuple(row.values()) for row in expected.to_pylist())
    lost, gained = want - have, have - want
    assert not lost, f"{lost.total()} rows are not there, like {list(lost)[:5]}"
    assert not gained, f"{gained.total()} rows too many, like {list(gained)[:5]}"
    raise AssertionError("the rows differ, although none is lost and none gained")


def outcomes(dbfrom: str, uids: Collection[int], links: pa.Table) -> pa.Table:
    """Return the rows of `uids` that belong to some links if every UID was answered."""
    counts = Counter(links["from_uid"].to_pylist())
    return pa.table(
        [
            [dbfrom] * len(uids),
            list(uids),
            ["linked" if counts[uid] else "empty" for uid in uids],
            [counts[uid] for uid in uids],
            pa.nulls(len(uids), pa.string()),
        ],
        schema=UIDS,
    )


def assert_exact(folder: Path, dbfrom: str, uids: Iterable[int], expected: pa.Table) -> None:
    """Assert that the folder holds these links, one row per UID, and no uncommitted file.

    Args:
        folder: OUT.
        dbfrom: database of the UIDs.
        uids: the input, perhaps with duplicates; all of it was answered.
        expected: rows of `LINKS`.
    """
    assert_same(rows(folder, "links"), expected)
    assert_same(rows(folder, "uids"), outcomes(dbfrom, sorted(set(uids)), expected))
    assert_tidy(folder)


def assert_tidy(folder: Path) -> None:
    """Assert that `links` and `uids` hold committed parts only, and the folder no unknown file."""
    said = status(folder)
    found = {f"{kind}/{path.name}" for kind in ("links", "uids") for path in children(folder, kind)}
    assert found == set(said["parts"])
    known = {".lock", "job.toml", "links", "uids", "unanswered.txt", "rejected.tsv"}
    known.add("manifest.json")
    database = {"state.sqlite", "state.sqlite-wal", "state.sqlite-shm"}
    assert {path.name for path in folder.iterdir()} <= known | database
    assert_absent_or_exact(folder)


def children(folder: Path, kind: str) -> list[Path]:
    """Return the files of `links` or `uids`."""
    return sorted((folder / kind).iterdir())


def expected_links(
    graph: Graph,
    dbfrom: str,
    uids: Iterable[int],
    db: Sequence[str] | None = None,
    linkname: Sequence[str] | None = None,
    *,
    scores: bool = False,
) -> pa.Table:
    """Return the true links of the graph, as rows of `LINKS`."""
    table = truth(graph, dbfrom, sorted(set(uids)), db, linkname, scores=scores)
    return table.select(LINKS.names).cast(LINKS)


def write_uids(path: Path, uids: Iterable[int]) -> Path:
    """Write a list of UIDs, one per line."""
    path.write_text("".join(f"{uid}\n" for uid in uids))
    return path


def digests(folder: Path) -> dict[str, bytes]:
    """Return the content of every committed file."""
    return {
        f"{kind}/{path.name}": path.read_bytes()
        for kind in ("links", "uids")
        for path in children(folder, kind)
    }
