"""The commit record: what is written together is there together or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from harvester.errors import FolderError
from harvester.model import uids
from harvester.store.state import State
from harvester.store.state_reader import FILE, Part, Settled, StateReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINKS = Part("links/part-00000.parquet", "links", 10, 1000, "aa")
ROWS = Part("uids/part-00001.parquet", "uids", 5, 500, "bb")
MORE = Part("links/part-00002.parquet", "links", 7, 700, "cc")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State(tmp_path / FILE)) as state:
        yield state


def _settled(outcome: str, *members: int, reason: str | None = None) -> Settled:
    return Settled(outcome, uids.as_set(members), reason)


def _sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()


def test_a_new_state_is_empty(state: State) -> None:
    assert state.wanted() is None
    assert list(state.done()) == []
    assert state.outcomes() == {}
    assert state.unanswered() == []
    assert state.parts() == []
    assert state.links() == 0
    assert state.progress() == {}
    assert state.get("identity") is None


def test_what_was_put_is_kept_and_replaced(tmp_path: Path, state: State) -> None:
    state.put(identity="one", total="5")
    state.put(total="6")
    state.close()
    with closing(State(tmp_path / FILE)) as again:
        assert (again.get("identity"), again.get("total")) == ("one", "6")


def test_parts_and_outcomes_commit_together(tmp_path: Path, state: State) -> None:
    state.commit([LINKS, ROWS], [_settled("linked", 1, 2, 3), _settled("empty", 4)])
    state.commit([MORE], [_settled("linked", 7), _settled("failed", 9, 8, reason="HTTP 500")])
    state.commit([], [_settled("missing", 10, reason="left out")])
    state.close()
    with closing(State(tmp_path / FILE)) as again:
        assert list(again.done()) == [1, 2, 3, 4, 7, 8, 9, 10]
        assert again.outcomes() == {"linked": 4, "empty": 1, "failed": 2, "missing": 1}
        assert again.parts() == [LINKS, MORE, ROWS]
        assert again.parts("uids") == [ROWS]
        assert again.parts("uids", "links") == [LINKS, MORE, ROWS]
        assert again.links() == 17
        unanswered = [(s.outcome, list(s.uids), s.reason) for s in again.unanswered()]
        assert unanswered == [("failed", [8, 9], "HTTP 500"), ("missing", [10], "left out")]


def test_a_commit_that_fails_half_way_leaves_nothing(state: State) -> None:
    """The name of a part is used twice, so the second half of the commit fails."""
    state.commit([LINKS], [_settled("linked", 1)])
    with pytest.raises(sqlite3.IntegrityError):
        state.commit([MORE, LINKS], [_settled("linked", 2)])
    assert state.parts() == [LINKS]
    assert list(state.done()) == [1]
    state.commit([MORE], [_settled("linked", 2)])
    assert list(state.done()) == [1, 2]


def test_parts_are_replaced_without_touching_outcomes(state: State) -> None:
    state.commit([LINKS, MORE], [_settled("linked", 1, 2)])
    merged = Part("links/part-00003.parquet", "links", 17, 1700, "dd")
    state.replace_parts([LINKS, MORE], [merged])
    assert state.parts() == [merged]
    assert state.links() == 17
    assert list(state.done()) == [1, 2]


def test_only_failed_and_missing_uids_are_forgotten(state: State) -> None:
    state.commit([], [_settled("linked", 1), _settled("empty", 2)])
    state.commit([], [_settled("failed", 3, reason="x"), _settled("missing", 4, reason="y")])
    state.forget(uids.as_set([3, 4]))
    assert list(state.done()) == [1, 2]
    assert state.unanswered() == []


def test_the_wanted_uids_are_kept(state: State) -> None:
    wanted = uids.as_set([1, 2**40, 2**63 - 1])
    state.put(wanted=uids.dump(wanted))
    assert state.wanted() == wanted


def test_progress_is_json(state: State) -> None:
    state.put(progress='{"pid": 5}')
    assert state.progress() == {"pid": 5}


def test_others_read_while_it_is_written(tmp_path: Path, state: State) -> None:
    state.commit([LINKS], [_settled("linked", 1)])
    with StateReader(tmp_path / FILE) as reader:
        assert reader.links() == 10
        state.commit([MORE], [_settled("linked", 2)])
        assert reader.links() == 17


def test_who_only_reads_cannot_write(tmp_path: Path, state: State) -> None:
    with StateReader(tmp_path / FILE) as reader:
        assert not hasattr(reader, "put")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._db.execute("DELETE FROM meta")


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to look at" * 50, b"\0" * 4096]
)
@pytest.mark.parametrize("kind", [State, StateReader])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes, kind: type[StateReader]
) -> None:
    path = tmp_path / FILE
    path.write_bytes(content)
    with pytest.raises(FolderError) as caught:
        kind(path)
    assert str(caught.value).startswith(f"{path} cannot be read (")
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", [State, StateReader])
def test_a_newer_version_is_refused_and_left_alone(tmp_path: Path, kind: type[StateReader]) -> None:
    path = tmp_path / FILE
    State(path).close()
    _sql(path, "PRAGMA user_version = 99")
    _sql(path, "PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    with pytest.raises(FolderError) as caught:
        kind(path)
    assert str(caught.value) == (
        f"{path} was written by a newer version of harvester; update this one."
    )
    assert path.read_bytes() == before


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _filled(path: Path) -> None:
    """Write a state of several pages, all of them in the file itself."""
    with closing(State(path)) as state:
        for number in range(200):
            part = Part(f"links/part-{number:05}.parquet", "links", 1, 1, "x" * 64)
            state.commit([part], [_settled("linked", number + 1)])
    _sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")


def _everything(path: Path) -> list[Any]:
    with closing(State(path)) as state:
        return [state.parts(), list(state.done()), state.outcomes(), state.links()]


def test_a_state_cut_in_half_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE
    _filled(path)
    _half(path)
    with pytest.raises(FolderError, match="cannot be read"):
        _everything(path)


def test_a_state_with_a_flipped_byte_is_refused_or_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / FILE
    _filled(path)
    whole = path.read_bytes()
    content = _everything(path)
    for at in range(100, len(whole), 1009):
        for beside in tmp_path.glob(f"{FILE}-*"):
            beside.unlink()
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with suppress(FolderError):
            assert _everything(path) == content, at


def test_a_full_disk_is_told_as_one_and_loses_nothing_before(tmp_path: Path) -> None:
    with closing(State(tmp_path / FILE)) as state:
        state.put(identity="kept")
        pages = state._db.execute("PRAGMA page_count").fetchone()[0]
        state._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises((OSError, FolderError)) as caught:
            state.put(large="x" * 100_000)
        assert "full" in str(caught.value).lower() or "space" in str(caught.value).lower()
        assert (state.get("identity"), state.get("large")) == ("kept", None)
        state.put(small="y")
        assert state.get("small") == "y"


def test_many_commits_are_few_rows_that_say_the_same(tmp_path: Path) -> None:
    """Each row costs time at every opening, and a night makes thousands of commits."""
    state = State(tmp_path / "state.sqlite")
    failed = [_settled("failed", 10_000 + reason, reason=f"HTTP {reason}") for reason in range(90)]
    for number in range(500):
        state.commit([], [_settled("linked", 2 * number + 1), _settled("empty", 2 * number + 2)])
        state.commit([], failed[number : number + 1])
        state.commit([], [_settled("linked", 2 * number + 1)], pass_number=2)
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as db:
        assert db.execute("SELECT COUNT(*) FROM settled").fetchone()[0] < 400
    assert state.outcomes() == {"linked": 500, "empty": 500, "failed": 90}
    assert state.outcomes(2) == {"linked": 500}
    assert list(state.done()) == [*range(1, 1001), *range(10_000, 10_090)]
    assert {(s.reason, *s.uids) for s in state.unanswered()} == {
        (one.reason, *one.uids) for one in failed
    }
    state.close()
    State(tmp_path / "state.sqlite").close()
