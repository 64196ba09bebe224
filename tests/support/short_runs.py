"""Short runs that change a folder in every way long ones do: commits, merges, retries, passes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from support.harness import (
    UIDS,
    assert_same,
    assert_tidy,
    expected_links,
    outcomes,
    rows,
    write_uids,
)
from support.timing import BACKOFF, COMMIT, TICK

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.emulator import Emulator
    from support.fork_server import ForkedRun, ForkServer
    from support.servers import Servers

ASKED = range(1, 301)
LEFT_OUT = (7, 11, 250)
"""The sick server leaves these out of every answer: they are missing."""

FORMS = ("parquet", "jsonl")
KINDS = ("first", "retry", "longer", "sweeps")

OFTEN: dict[str, object] = {
    "harvester.store.committer.PART_BYTES": 6_000,
    COMMIT: 0.2,
    TICK: 0.04,
    "harvester.store.passes.merge_pass.ROWS": 2_000,
    BACKOFF: 0.02,
}
"""Constants by which a short run commits as often as a long one, and cuts what it unites."""

MERGED_BYTES = {"parquet": 12_000, "jsonl": 250_000}
"""By which it merges its small parts to several larger ones, as a long run does."""


@dataclass
class ShortRun:
    """A kind of run, repeated many times, each time in its own folder.

    Args:
        servers: for emulators.
        base: for folders.
        form: of the output.
        kind: `first`; `retry`, which retries the missing UIDs of an earlier run; `longer`, whose
            list has more UIDs than that of an earlier run; `sweeps`, with two passes.
    """

    servers: Servers
    base: Path
    form: str
    kind: str
    server: Emulator = field(init=False)

    def __post_init__(self) -> None:
        patches = OFTEN | {"harvester.store.compaction.MERGED_BYTES": MERGED_BYTES[self.form]}
        self.often: dict[str, Any] = {"patches": patches, "wal_pages": 12}
        sick = f"short@{','.join(map(str, LEFT_OUT))}"
        self.server = self.servers.start(latency=(0.01, 0.05), faults=(sick,))
        self.ids = write_uids(self.base / "ids", ASKED)
        self.fewer = write_uids(self.base / "fewer", ASKED[:120])
        if self.retries:
            with self.servers.fork_server() as fork_server:
                before = self._run(self.base / "before")
                assert fork_server.run(before, **self.often).code == 3
            self.servers.stop(self.server)
            self.server = self.servers.start(port=self.server.port, latency=(0.01,))

    @property
    def retries(self) -> bool:
        """Whether the server stops failing, so that missing UIDs are answered."""
        return self.kind == "retry"

    def command(self, out: Path, *, resumes: bool = False) -> list[object]:
        """Return the command line of the run that is ended early, and that completes it."""
        if resumes:
            return ["resume", out]
        more = {"retry": ["--retry-failed"], "sweeps": ["--passes=2"]}
        return [*self._run(out), *more.get(self.kind, ())]

    def prepare(self, fork_server: ForkServer, out: Path) -> None:
        """Make what must exist before the run that is ended early."""
        if self.retries:
            shutil.copytree(self.base / "before", out)
        elif self.kind == "longer":
            before = self._run(out, self.fewer)
            assert fork_server.run(before, **self.often).code == 3

    def can_resume(self, out: Path) -> bool:
        """Return whether `resume` completes the run as the command does."""
        return self.kind in ("first", "sweeps") and (out / "job.toml").exists()

    @property
    def code(self) -> int:
        """The exit code of a complete run."""
        return 0 if self.retries else 3

    def assert_complete(self, out: Path) -> None:
        """Assert that no row is missing or duplicate, and that no other file is left."""
        answered = [uid for uid in ASKED if self.retries or uid not in LEFT_OUT]
        truth = expected_links(self.server.graph, "pubmed", answered, ("pmc",))
        assert_same(rows(out, "links"), truth)
        settled = [outcomes("pubmed", answered, truth)]
        if not self.retries:
            missing = [[what] * 3 for what in ("pubmed", "missing", 0, "left out of every answer")]
            settled.append(pa.table([missing[0], list(LEFT_OUT), *missing[1:]], schema=UIDS))
        assert_same(rows(out, "uids"), pa.concat_tables(settled))
        listed = out / "unanswered.txt"
        assert listed.exists() != self.retries
        if not self.retries:
            assert listed.read_text() == "".join(f"{uid}\n" for uid in LEFT_OUT)
        assert_tidy(out)

    def _run(self, out: Path, ids: Path | None = None) -> list[object]:
        return [
            "run", "--ids", ids or self.ids, "--dbfrom=pubmed", "--db=pmc",
            "--base-url", self.server.base_url, "--rate=400", "--batch-size=10", "--max-attempts=2",
            f"--format={self.form}", "-o", out,
        ]  # fmt: skip


def uninterrupted(short_run: ShortRun, fork_server: ForkServer, out: Path) -> ForkedRun:
    """Run without interruption; its steps are the kill points of other runs."""
    short_run.prepare(fork_server, out)
    ended = fork_server.run(short_run.command(out), root=str(out), **short_run.often)
    assert ended.code == short_run.code, ended.output
    short_run.assert_complete(out)
    return ended
