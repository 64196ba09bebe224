"""The pace as numbers that several share: in one process here, and in a file."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harvester.client.pacing import sliding_window as pace
from harvester.client.pacing.shared_window import PLACES, CommonPace, common_pace
from harvester.client.pacing.sliding_window import Pace

if TYPE_CHECKING:
    from pathlib import Path

START = 5000.0


def _buffer(places: int = 64) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.zeros(pace.size(places))


def _ended_process() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def _used_by_turns(paces: list[Pace], seconds: float, step: float = 0.001) -> list[float]:
    """The times of departure when all want a permit at every moment."""
    times: list[float] = []
    for tick in range(round(seconds / step)):
        now = START + tick * step
        for one in paces:
            if one.wait(now) <= 0:
                one.give(now)
                times.append(now)
    return times


@pytest.mark.parametrize("users", [1, 8])
@pytest.mark.parametrize("rate", [1, 3, 10, 30])
def test_together_they_keep_the_rate_and_use_it(users: int, rate: int) -> None:
    buffer = _buffer()
    times = _used_by_turns([Pace(buffer, rate, START) for _ in range(users)], 40)
    inside = [sum(1 for t in times if first <= t < first + 1) for first in times]
    assert max(inside) <= rate
    assert len(times) / 40 >= 0.97 * rate


def test_a_limit_that_one_learns_binds_all() -> None:
    buffer = _buffer()
    one, other = (Pace(buffer, 10, START) for _ in range(2))
    one.refuse(START + 1, retry_after=5.0, limit=6.0, sent_at=START + 0.9)
    assert other.rate == 6.0
    assert other.wait(START + 2) == pytest.approx(4.0)


def test_who_wants_less_leaves_the_pace_of_others_alone() -> None:
    buffer = _buffer()
    fast = Pace(buffer, 10, START)
    assert Pace(buffer, 3, START).rate == fast.rate == 10
    assert Pace(buffer, 20, START).rate == fast.rate == 20


def test_who_wants_more_does_not_undo_what_was_learnt() -> None:
    buffer = _buffer()
    Pace(buffer, 10, START).refuse(START, None, 6.0, START)
    assert Pace(buffer, 10, START + 1).rate == 6.0
    assert Pace(buffer, 12, START + 1).rate == 6.0


@pytest.mark.parametrize("later", [-100.0, 601.0])
def test_numbers_of_another_boot_or_of_long_ago_are_forgotten(later: float) -> None:
    buffer = _buffer()
    before = Pace(buffer, 10, START)
    before.refuse(START, None, 6.0, START)
    for _ in range(10):
        before.give(START)
    after = Pace(buffer, 10, START + later)
    assert after.rate == 10
    assert after.wait(START + later) <= 0


def test_a_process_that_starts_while_another_asks_changes_nothing() -> None:
    """Its time may be a little behind, having been taken while it waited for its turn."""
    buffer = _buffer()
    one = Pace(buffer, 3, START)
    for _ in range(3):
        one.give(START)
    assert Pace(buffer, 3, START - 0.05).wait(START + 0.5) > 0


def test_a_permit_that_is_not_used_yet_holds_up_the_others() -> None:
    one = Pace(_buffer(), 2, START)
    place = one.give(START)
    one.mark(place, math.inf)
    one.give(START + 0.5)
    assert one.wait(START + 10) == math.inf
    one.mark(place, START + 10)
    assert one.wait(START + 10) == pytest.approx(1 + pace.GUARD_SECONDS)


def test_a_permit_of_a_process_that_died_is_lost() -> None:
    buffer = _buffer()
    one = Pace(buffer, 1, START)
    one.mark(one.give(START), math.inf)
    buffer[-64:][0] = _ended_process()
    assert one.wait(START + 1) == pytest.approx(1 + pace.GUARD_SECONDS)
    assert one.wait(START + 1 + 1 + pace.GUARD_SECONDS) <= 0


def test_a_permit_that_is_kept_for_too_long_is_lost() -> None:
    one = Pace(_buffer(), 1, START)
    one.mark(one.give(START), math.inf)
    assert one.wait(START + 15) == math.inf
    assert math.isfinite(one.wait(START + 21))


# --- in a file ------------------------------------------------------------------------------


def test_a_file_is_shared_by_all_who_open_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "x.pace"
    one, other = (CommonPace(path, 2, START) for _ in range(2))
    with one.held() as mine, other.held() as theirs:
        assert mine
        assert not theirs
        for _ in range(2):
            one.pace.give(START)
    with other.held() as theirs:
        assert theirs
        assert 0 < other.pace.wait(START + 0.9) < 0.2


def test_a_file_of_another_make_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.pace"
    path.write_bytes(b"something else")
    assert CommonPace(path, 7, START).pace.rate == 7


def test_the_file_names_neither_key_nor_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    keys = (None, "0123456789abcdef")
    for key in keys:
        assert common_pace("eutils.example.org", key, 10, START) is not None
    files = [path for path in tmp_path.rglob("*") if path.suffix == ".pace"]
    assert len(files) == len(keys)
    for path in files:
        content = path.name.encode() + path.read_bytes()
        assert b"0123456789abcdef" not in content
        assert b"example" not in content


def test_where_nothing_can_be_shared_everybody_goes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "below"))
    (tmp_path / "file").write_text("no folder")
    assert common_pace("eutils.example.org", None, 10, START) is None
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert common_pace("eutils.example.org", None, PLACES, START) is None
    assert common_pace("eutils.example.org", None, 10, START) is not None
    assert any((tmp_path / "elink-harvester").iterdir())
