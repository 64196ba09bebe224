"""Parts and state together: commit, recover, merge, and folders of other owners."""

from __future__ import annotations

import errno
import json
import os
import resource
import threading
from collections import Counter
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import Timeout
from support.link_rows import Row, links_of, links_table, outcomes_of, read_part, uids_table

from harvester.errors import BadInput, FolderError, FolderInUse
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import RAW
from harvester.store import compaction, durable
from harvester.store import state as state_module
from harvester.store.commit import Commit
from harvester.store.compaction import merge_small_parts
from harvester.store.folder import is_locked
from harvester.store.ledger import Ledger
from harvester.store.passes.merge_pass import merge_pass
from harvester.store.sinks import make_sink
from harvester.store.state import State
from harvester.store.state_reader import FILE, Settled
from harvester.store.unanswered import reopen_unanswered, write_unanswered

from .test_durable import Crash

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS = [("parquet", "zstd"), ("jsonl", "none"), ("jsonl", "gzip"), ("jsonl", "zstd")]
each_form = pytest.mark.parametrize("form", FORMS, ids=["-".join(form) for form in FORMS])
PARQUET = FORMS[0]


def _open(folder: Path, form: tuple[str, str] = PARQUET) -> Ledger:
    return Ledger(folder, make_sink(*form), "pubmed")  # type: ignore[arg-type]


def _settled(outcome: str, *members: int, reason: str | None = None) -> Settled:
    return Settled(outcome, uids.as_set(members), reason)


def _commit(book: Ledger, *members: int) -> None:
    """Commit two links of each UID."""
    rows = uids_table(outcomes_of(*members))
    book.commit(
        Commit(
            RunLengthRows.from_table(links_table(links_of(*members))),
            rows,
            [_settled("linked", *members)],
        )
    )


def _files(folder: Path) -> list[str]:
    """Return the files in the folders of parts."""
    return sorted(
        path.relative_to(folder).as_posix()
        for kind in ("links", "uids", "sweeps")
        for path in (folder / kind).glob("*")
    )


def _rows(folder: Path, kind: str) -> list[Row]:
    """Return all rows of one kind, read from every part."""
    paths = sorted((folder / kind).glob("part-*"))
    return [row for path in paths for row in read_part(path)]


def _counted(rows: list[Row]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row.values()) for row in rows)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# --- commit ---------------------------------------------------------------------------------


@each_form
def test_what_is_committed_is_there_for_the_next_one(out: Path, form: tuple[str, str]) -> None:
    with _open(out, form) as book:
        _commit(book, 1, 2, 3)
        book.commit(Commit(None, uids_table(outcomes_of(4, outcome="empty", links=0)), [
            _settled("empty", 4)
        ]))  # fmt: skip
    with _open(out, form) as book:
        assert list(book.state.done()) == [1, 2, 3, 4]
        assert book.state.links() == 6
        recorded = {part.name: part for part in book.state.parts()}
    assert _files(out) == sorted(recorded)
    for name, part in recorded.items():
        written = durable.checksum(out / name)
        assert (written.bytes, written.checksum) == (part.bytes, part.checksum)
        assert len(read_part(out / name)) == part.rows
    assert _rows(out, "links") == links_of(1, 2, 3)
    assert _rows(out, "uids") == [
        *outcomes_of(1, 2, 3),
        *outcomes_of(4, outcome="empty", links=0),
    ]


def test_it_shows_where_it_is_and_what_it_holds(out: Path) -> None:
    with _open(out) as book:
        _commit(book, 1, 2)
        counts = "2 parts, 4 links, 2 uids"
        assert repr(book) == f"Ledger({str(out)!r}, pubmed: {counts})"
        assert repr(book.state) == f"State({str(out / FILE)!r}: {counts})"
        assert book.state.statistics() == {"parts": 2, "links": 4, "uids": 2}


def test_no_part_is_written_for_no_rows(out: Path) -> None:
    with _open(out) as book:
        book.commit(
            Commit(
                RunLengthRows.from_table(links_table([])), None, [_settled("failed", 1, reason="x")]
            )
        )
        assert _files(out) == []
        assert list(book.state.done()) == [1]


def test_no_name_is_used_twice_over_runs(out: Path) -> None:
    names: list[str] = []
    for uid in range(1, 5):
        with _open(out) as book:
            _commit(book, uid)
            names = [part.name for part in book.state.parts()]
    assert len(names) == len(set(names)) == 8
    assert _counted(_rows(out, "links")) == _counted(links_of(1, 2, 3, 4))


def test_the_wanted_uids_only_grow(out: Path) -> None:
    with _open(out) as book:
        assert list(book.input.add(uids.as_set([3, 1]))) == [1, 3]
        assert list(book.input.add(uids.as_set([2, 3]))) == [2]
        assert list(book.input.add(uids.as_set())) == []
        assert not book.input.ended
        book.input.end()
    with _open(out) as book:
        assert book.input.ended
        assert book.input.wanted == book.state.wanted() == uids.as_set([1, 2, 3])
        assert book.state.get("total") == "3"


# --- failed and missing ---------------------------------------------------------------------


@each_form
def test_failed_and_missing_uids_are_listed_and_have_rows(out: Path, form: tuple[str, str]) -> None:
    with _open(out, form) as book:
        _commit(book, 5)
        book.commit(Commit(None, None, [
            _settled("failed", 9, 2, reason='HTTP 500 "é"\n'),
            _settled("missing", 7, 1, reason="left out of every answer"),
        ]))  # fmt: skip
        book.commit(Commit(None, None, [_settled("failed", 4, reason="no answer in time")]))
        write_unanswered(book)
    assert (out / "unanswered.txt").read_text() == "1\n2\n4\n7\n9\n"
    rows = {row["from_uid"]: row for row in _rows(out, "uids")}
    assert [rows[uid]["outcome"] for uid in (1, 2, 4, 5, 7, 9)] == [
        "missing", "failed", "failed", "linked", "missing", "failed",
    ]  # fmt: skip
    assert rows[9] == {
        "dbfrom": "pubmed",
        "from_uid": 9,
        "outcome": "failed",
        "links": 0,
        "reason": 'HTTP 500 "é"\n',
    }
    assert rows[4]["reason"] == "no answer in time"
    assert len(_rows(out, "uids")) == 6


def test_writing_them_again_writes_them_once(out: Path) -> None:
    with _open(out) as book:
        book.commit(Commit(None, None, [_settled("failed", 1, reason="x")]))
        write_unanswered(book)
        write_unanswered(book)
    assert len(_rows(out, "uids")) == 1


def test_asked_again_and_answered_they_are_listed_no_more(out: Path) -> None:
    with _open(out) as book:
        book.commit(Commit(None, None, [_settled("failed", 1, reason="x")]))
        write_unanswered(book)
        reopen_unanswered(book)
        assert list(book.state.done()) == []
        assert not (out / "unanswered.txt").exists()
        assert _rows(out, "uids") == []
        _commit(book, 1)
        write_unanswered(book)
    assert not (out / "unanswered.txt").exists()
    assert _rows(out, "uids") == outcomes_of(1)


# --- merge ----------------------------------------------------------------------------------


@each_form
def test_merging_keeps_every_row_in_its_order(out: Path, form: tuple[str, str]) -> None:
    with _open(out, form) as book:
        for first in range(1, 40, 3):
            _commit(book, first, first + 1, first + 2)
        merge_small_parts(book)
        assert len(book.state.parts("links")) == len(book.state.parts("uids")) == 1
        assert book.state.links() == 78
    assert _rows(out, "links") == links_of(*range(1, 40))
    assert _rows(out, "uids") == outcomes_of(*range(1, 40))
    assert len(_files(out)) == 2


@each_form
def test_parts_are_merged_up_to_a_size(
    out: Path, form: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with _open(out, form) as book:
        for uid in range(1, 21):
            _commit(book, uid)
        largest = max(part.bytes for part in book.state.parts())
        monkeypatch.setattr(compaction, "MERGED_BYTES", 5 * largest)
        merge_small_parts(book)
        merged = book.state.parts("links")
        assert 1 < len(merged) < 20
        assert all(part.bytes <= 5 * largest * 1.1 for part in merged)
    assert _counted(_rows(out, "links")) == _counted(links_of(*range(1, 21)))


def test_large_parts_are_left_as_they_are(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _open(out) as book:
        for uid in (1, 2, 3):
            _commit(book, uid)
        before = book.state.parts()
        monkeypatch.setattr(compaction, "MERGED_BYTES", min(part.bytes for part in before))
        merge_small_parts(book)
        assert book.state.parts() == before


@each_form
def test_a_nights_small_parts_are_merged_with_few_files_open(
    out: Path, form: tuple[str, str]
) -> None:
    """A part every eight seconds makes 3,600 in a night; many systems permit 1,024 open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with _open(out, form) as book:
        for uid in range(1, 41):
            _commit(book, uid)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (_limit_leaving(25), hard))
            merge_small_parts(book)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert _rows(out, "links") == links_of(*range(1, 41))


def _limit_leaving(free: int) -> int:
    """Return the limit under which `free` more files can be opened."""
    used = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    return next(islice((at + 1 for at in count() if at not in used), free - 1, None))


@each_form
def test_a_harvest_without_links_has_one_empty_part(out: Path, form: tuple[str, str]) -> None:
    with _open(out, form) as book:
        book.commit(Commit(None, uids_table(outcomes_of(1, outcome="empty", links=0)), [
            _settled("empty", 1)
        ]))  # fmt: skip
        for _ in range(2):
            merge_small_parts(book)
            (part,) = book.state.parts("links")
            assert part.rows == 0
        assert _rows(out, "links") == []
        if form == PARQUET:
            assert pq.read_schema(out / part.name).names == book.schema.names
        _commit(book, 2)
        merge_small_parts(book)
        assert len(book.state.parts("links")) == 1
    assert _rows(out, "links") == links_of(2)


@each_form
def test_a_part_that_changed_on_disk_is_not_signed_anew(out: Path, form: tuple[str, str]) -> None:
    """A part of the same size, readable or not, is named and stays for a backup to replace."""
    with _open(out, form) as book:
        _commit(book, 1, 2)
        _commit(book, 3, 4)
        before = book.state.parts()
        part = book.state.parts("links")[0]
        whole = (out / part.name).read_bytes()
        for changed in (whole.replace(b"1", b"7"), whole[:-1] + b"?", b"?" * len(whole), None):
            if changed == whole:
                continue
            if changed is None:
                (out / part.name).unlink()
            else:
                (out / part.name).write_bytes(changed)
            with pytest.raises(FolderError) as caught:
                merge_small_parts(book)
            assert str(caught.value).startswith(f"{out / part.name} is ")
            assert "harvester verify" in str(caught.value)
            assert book.state.parts() == before
        (out / part.name).write_bytes(whole)
        merge_small_parts(book)
    assert _rows(out, "links") == links_of(1, 2, 3, 4)


# --- recover --------------------------------------------------------------------------------


def test_files_that_no_record_names_are_deleted(out: Path) -> None:
    with _open(out) as book:
        _commit(book, 1)
        known_files = _files(out)
    for name in ("links/part-00077.parquet", "uids/.part-00078.parquet.tmp"):
        (out / name).write_bytes(b"from before a crash")
    with _open(out):
        assert _files(out) == known_files


@pytest.mark.parametrize("kind", ["links", "uids"])
def test_a_recorded_file_that_is_gone_is_named(out: Path, kind: str) -> None:
    with _open(out) as book:
        _commit(book, 1)
        (part,) = book.state.parts(kind)
    (out / part.name).unlink()
    files = _files(out)
    with pytest.raises(FolderError) as caught:
        _open(out)
    assert str(caught.value).startswith(f"{out / part.name} is missing")
    assert _files(out) == files


def test_a_recorded_file_of_another_size_is_named(out: Path) -> None:
    with _open(out) as book:
        _commit(book, 1)
        (part,) = book.state.parts("links")
    with (out / part.name).open("ab") as stream:
        stream.write(b"!")
    (out / "links" / "part-00099.parquet").write_bytes(b"unnamed")
    with pytest.raises(FolderError) as caught:
        _open(out)
    assert str(caught.value).startswith(f"{out / part.name} has another size")
    assert (out / "links" / "part-00099.parquet").exists(), "nothing may be changed then"


def test_a_refused_folder_is_not_left_locked(out: Path) -> None:
    with _open(out) as book:
        _commit(book, 1)
        (part,) = book.state.parts("links")
    content = (out / part.name).read_bytes()
    (out / part.name).unlink()
    with pytest.raises(FolderError):
        _open(out)
    (out / part.name).write_bytes(content)
    with _open(out) as book:
        assert list(book.state.done()) == [1]


# --- whose folder ---------------------------------------------------------------------------


def test_a_second_harvest_is_refused_with_the_process_of_the_first(out: Path) -> None:
    with _open(out) as book:
        book.state.put(progress='{"pid": 4242}')
        assert is_locked(out)
        with pytest.raises(FolderInUse) as caught:
            _open(out)
        assert str(caught.value) == f"{out} is in use by another harvest, process 4242."
    assert not is_locked(out)
    _open(out).__exit__()


def test_the_loser_of_two_that_see_no_lock_of_each_other_stops(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on two nodes: each commit is there once, and the first process stops with a message."""

    class NoLock:
        def release(self) -> None:
            pass

    def no_lock(_: Path) -> NoLock:
        return NoLock()

    out.mkdir()
    monkeypatch.setattr("harvester.store.ledger.lock_folder", no_lock)
    with _open(out) as first:
        _commit(first, 1, 2)
        with _open(out) as second:
            losing: list[Callable[[], object]] = [
                lambda: _commit(first, 3),
                lambda: first.state.put(progress="{}"),
                lambda: reopen_unanswered(first),
                lambda: first.replace_parts(first.state.parts("links"), []),
            ]
            for loses in losing:
                with pytest.raises(FolderInUse, match=rf"process {os.getpid()} on .* stops"):
                    loses()
            _commit(second, 3)
            _commit(second, 4)
    with _open(out) as book:
        assert list(book.state.done()) == [1, 2, 3, 4]
        assert book.state.get("claim") is not None
    assert _rows(out, "links") == links_of(1, 2, 3, 4)


@pytest.mark.parametrize("alive", [True, False])
def test_a_claim_of_another_host_is_watched(
    out: Path, alive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds only while it is renewed, independently of the hosts' clocks."""
    monkeypatch.setattr(state_module, "WATCH_SECONDS", 0.6)
    with _open(out) as book:
        _commit(book, 1)
    claim = {"host": "node17", "pid": 4242, "token": "x", "time": 9e9}
    writer = State(out / FILE)
    writer.put(claim=json.dumps(claim))
    done = threading.Event()

    def renew() -> None:
        while not done.wait(0.1):
            claim["time"] = float(str(claim["time"])) + 1
            writer.put(claim=json.dumps(claim))

    other = threading.Thread(target=renew)
    try:
        if alive:
            other.start()
            with pytest.raises(FolderInUse, match="process 4242 on node17"):
                _open(out)
        else:
            with _open(out) as book:
                assert list(book.state.done()) == [1]
    finally:
        done.set()
        if alive:
            other.join()
        writer.close()


def test_a_file_that_stands_for_a_lock_names_host_and_remedy(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that died left it, on a file system without `flock`."""
    with _open(out) as book:
        _commit(book, 1)

    def busy(*_: object, **__: object) -> None:
        raise Timeout(str(out / ".lock"))

    monkeypatch.setattr("harvester.store.folder.FileLock.acquire", busy)
    (out / ".lock").write_text("4242\nnode17\n")
    with pytest.raises(FolderInUse) as caught:
        _open(out)
    for words in ("process 4242 on node17", f"delete {out / '.lock'}"):
        assert words in str(caught.value)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, 524])
def test_no_file_locks_are_no_damage(
    out: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("harvester.store.folder.FileLock.acquire", none)
    with pytest.raises(FolderError, match=r"without file locks .* nothing is damaged"):
        _open(out)


def test_a_folder_that_was_never_used_is_not_locked(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    assert not is_locked(tmp_path / "none")


def test_a_folder_with_something_else_in_it_is_refused(out: Path) -> None:
    out.mkdir()
    (out / "thesis.docx").write_text("precious")
    with pytest.raises(BadInput) as caught:
        _open(out)
    assert str(caught.value) == (
        f"{out} is not empty and holds no harvest (it holds thesis.docx); choose another folder."
    )
    assert [path.name for path in out.iterdir()] == ["thesis.docx"]


def test_an_empty_folder_will_do(out: Path) -> None:
    out.mkdir()
    with _open(out) as book:
        assert book.state.parts() == []


def test_things_beside_a_harvest_do_no_harm(out: Path) -> None:
    with _open(out) as book:
        _commit(book, 1)
    (out / "report.html").write_text("made later")
    (out / "notes.txt").write_text("mine")
    with _open(out):
        pass
    assert (out / "notes.txt").read_text() == "mine"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(BadInput, match="is a file, not a folder"):
        _open(tmp_path / "out")


@pytest.mark.parametrize("name", ["links/thesis.docx", "uids/list.txt", "links/part-1.parquet"])
def test_a_links_folder_without_state_is_not_emptied(out: Path, name: str) -> None:
    """Without a state there is no harvest, so its files are not deleted."""
    path = out / name
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    with suppress(BadInput, FolderError):
        _open(out).__exit__()
    assert path.exists()


@pytest.mark.parametrize("loss", ["gone", "empty"])
def test_a_harvest_that_lost_its_state_keeps_its_parts(out: Path, loss: str) -> None:
    with _open(out) as book:
        book.adopt({"link": {}}, "")
        _commit(book, 1, 2)
    for path in out.glob(f"{FILE}*"):
        path.unlink()
    if loss == "empty":
        (out / FILE).touch()
    files = _files(out)
    with suppress(BadInput, FolderError):
        _open(out).__exit__()
    assert _files(out) == files


def test_a_users_own_file_among_the_parts_is_left_alone(out: Path) -> None:
    with _open(out) as book:
        _commit(book, 1)
    (out / "links" / "_SUCCESS").write_text("")
    with _open(out):
        assert (out / "links" / "_SUCCESS").exists()


def test_a_newer_state_is_refused(out: Path) -> None:
    with _open(out) as book:
        _commit(book, 1)
    state = State(out / FILE)
    state._db.execute("PRAGMA user_version = 99")
    state.close()
    files = _files(out)
    with pytest.raises(FolderError, match="newer version"):
        _open(out)
    assert _files(out) == files
    assert not is_locked(out)


# --- whose job ------------------------------------------------------------------------------


def _job(**groups: dict[str, Any]) -> Job:
    given: dict[str, Any] = {"link": {"dbfrom": "pubmed"}, "output": {"path": "out"}}
    return Job.model_validate(
        {group: {**given.get(group, {}), **groups.get(group, {})} for group in {*given, *groups}}
    )


def test_a_folder_is_tied_to_its_job(out: Path) -> None:
    with _open(out) as book:
        book.adopt(_job().identity(), "first = 1\n")
        assert (out / "job.toml").read_text() == "first = 1\n"
    with _open(out) as book:
        book.adopt(_job(limits={"rate": 1}).identity(), "second = 1\n")
    assert (out / "job.toml").read_text() == "second = 1\n"


@pytest.mark.parametrize("key", ["db", "linkname"])
def test_the_order_of_names_makes_no_other_job(out: Path, key: str) -> None:
    """Also for folders of an earlier version, which kept order and repetitions."""
    kept = _job().identity()
    kept["link"][key] = ["pmc", "gene", "pmc"]
    with _open(out) as book:
        book.adopt(kept, "")
    for names in (["gene", "pmc"], "pmc,gene,gene"):
        with _open(out) as book:
            book.adopt(_job(link={key: names}).identity(), "")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"link": {"dbfrom": "pmc"}}, "link.dbfrom = pubmed, not pmc"),
        ({"link": {"cmd": "neighbor_score"}}, "link.cmd = neighbor, not neighbor_score"),
        ({"link": {"db": ["gene", "pmc"]}}, "link.db = ['all'], not ['gene', 'pmc']"),
        ({"link": {"reldate": 5}}, "link.reldate = None, not 5"),
        ({"output": {"format": "jsonl"}}, "output.format = parquet, not jsonl"),
        ({"output": {"compression": "none"}}, "output.compression = zstd, not none"),
    ],
)
def test_another_job_is_refused_by_the_name_of_the_difference(
    out: Path, change: dict[str, dict[str, Any]], difference: str
) -> None:
    with _open(out) as book:
        book.adopt(_job().identity(), "kept")
        with pytest.raises(BadInput) as caught:
            book.adopt(_job(**change).identity(), "changed")
    assert str(caught.value) == (
        f"{out} holds a harvest with {difference}; give another --out for another job."
    )
    assert (out / "job.toml").read_text() == "kept"


# --- broken off at every step ---------------------------------------------------------------


class _Breaker:
    """Raises at the n-th step that reaches the disk: syncs, renames, deletes, transactions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int, *, after: bool) -> None:
        self.steps = 0
        self._fail_at = fail_at
        self._after = after
        for owner, name in (
            (os, "fsync"), (os, "replace"), (os, "unlink"),
            (State, "commit"), (State, "replace_parts"), (State, "put"), (State, "replace_all"),
        ):  # fmt: skip
            real = getattr(owner, name) if name != "fsync" else _no_sync
            monkeypatch.setattr(owner, name, self._wrapped(real))

    def _wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            here = self.steps == self._fail_at
            self.steps += 1
            if here and not self._after:
                raise Crash
            result = real(*args, **kwargs)
            if here:
                raise Crash
            return result

        return step


def _no_sync(handle: int) -> None:
    """Skip syncs: this test loses no power, so writes are visible without them."""


def _night(out: Path, form: tuple[str, str]) -> None:
    """Do all that runs do with a folder, continuing after the last interruption.

    In the second pass, one of the UIDs that failed is answered.
    """
    wanted = range(1, 9)
    with _open(out, form) as book:
        book.adopt({"link": {}}, "job")
        book.input.add(uids.as_set(wanted))
        for sweep, fails in ((1, (4, 8)), (2, (8,))):
            todo = sorted(set(wanted) - set(book.state.done(sweep)))
            for first in range(0, len(todo), 4):
                batch = todo[first : first + 4]
                good = [uid for uid in batch if uid not in fails]
                bad = [uid for uid in batch if uid in fails]
                book.commit(
                    Commit(
                        RunLengthRows.from_table(links_table(links_of(*good))),
                        uids_table(outcomes_of(*good)),
                        [_settled("linked", *good), _settled("failed", *bad, reason="x")],
                        pass_number=sweep,
                    )
                )
            if sweep > 1:
                merge_pass(book, sweep)
        merge_small_parts(book)
        write_unanswered(book)


def _is_exact(out: Path) -> None:
    good, bad = range(1, 8), [8]
    assert _counted(_rows(out, "links")) == _counted(links_of(*good))
    found = Counter((row["from_uid"], row["outcome"]) for row in _rows(out, "uids"))
    assert found == Counter([*((u, "linked") for u in good), *((u, "failed") for u in bad)])
    assert (out / "unanswered.txt").read_text() == "8\n"


@pytest.mark.parametrize(
    ("form", "after"), [(FORMS[0], False), (FORMS[2], True)], ids=["before", "after"]
)
def test_broken_off_at_any_step_the_next_run_makes_it_exact(
    tmp_path: Path, form: tuple[str, str], after: bool
) -> None:
    fail_at = 0
    while True:
        out = tmp_path / str(fail_at)
        with pytest.MonkeyPatch.context() as patch:
            breaker = _Breaker(patch, fail_at, after=after)
            with suppress(Crash):
                _night(out, form)
        if breaker.steps <= fail_at:
            break
        with _open(out, form) as book:
            # What is committed holds together, whatever was going on.
            links = Counter(row["from_uid"] for row in _rows(out, "links"))
            assert set(links.values()) <= {2}, fail_at
            assert set(links) <= set(book.state.done()), fail_at
            assert _files(out) == sorted(part.name for part in book.state.parts()), fail_at
        _night(out, form)
        _is_exact(out)
        fail_at += 1
    assert fail_at > 45
    _is_exact(out)


def test_kept_responses_outlast_the_merging_of_a_pass(out: Path) -> None:
    def response(pass_number: int) -> pa.Table:
        row = {"sweep": pass_number, "retmode": "json", "asked": [1], "body": b"%d" % pass_number}
        return pa.Table.from_pylist([row], RAW)

    with _open(out) as book:
        for number, uid in ((1, 1), (2, 1)):
            links = RunLengthRows.from_table(links_table(links_of(uid)))
            settled = [_settled("linked", uid)]
            rows = uids_table(outcomes_of(uid)) if number == 1 else None
            book.commit(Commit(links, rows, settled, response(number), number))
        merge_pass(book, 2)
        assert book.state.parts("again") == []
        assert [row["body"] for table in book.read_raw() for row in table.to_pylist()] == [
            b"1",
            b"2",
        ]
    assert _rows(out, "links") == links_of(1)
