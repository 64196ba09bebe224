"""A sliding window whose buffer several users share: in one process, and in a file."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harvester.client.pacing.shared_window import PLACES, SharedWindow, shared_window
from harvester.client.pacing.sliding_window import GUARD_SECONDS, SlidingWindow, buffer_size

if TYPE_CHECKING:
    from pathlib import Path

START = 5000.0


def _buffer(places: int = 64) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.zeros(buffer_size(places))


def _ended_process() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def _used_by_turns(
    windows: list[SlidingWindow], seconds: float, step: float = 0.001
) -> list[float]:
    """Return the times of permits if all users want one at every moment."""
    times: list[float] = []
    for tick in range(round(seconds * 1000)):
        now = START + tick / 1000
        for one in windows:
            if one.wait(now) <= 0:
                one.grant(now)
                times.append(now)
    return times


@pytest.mark.parametrize("users", [1, 8])
@pytest.mark.parametrize("rate", [1, 3, 10, 30])
def test_together_they_keep_the_rate_and_use_it(users: int, rate: int) -> None:
    buffer = _buffer()
    times = _used_by_turns([SlidingWindow(buffer, rate, START) for _ in range(users)], 40)
    inside = [sum(1 for t in times if first <= t < first + 1) for first in times]
    assert max(inside) <= rate
    assert len(times) / 40 >= 0.97 * rate


def test_a_limit_that_one_learns_binds_all() -> None:
    buffer = _buffer()
    one, other = (SlidingWindow(buffer, 10, START) for _ in range(2))
    one.refuse(START + 1, retry_after=5.0, limit=6.0, sent_at=START + 0.9)
    assert other.rate == 6.0
    assert other.wait(START + 2) == pytest.approx(4.0)


def test_a_lower_rate_does_not_slow_down_others() -> None:
    buffer = _buffer()
    fast = SlidingWindow(buffer, 10, START)
    assert SlidingWindow(buffer, 3, START).rate == fast.rate == 10
    assert SlidingWindow(buffer, 20, START).rate == fast.rate == 20


def test_who_wants_more_does_not_undo_what_was_learnt() -> None:
    buffer = _buffer()
    SlidingWindow(buffer, 10, START).refuse(START, None, 6.0, START)
    assert SlidingWindow(buffer, 10, START + 1).rate == 6.0
    assert SlidingWindow(buffer, 12, START + 1).rate == 6.0


@pytest.mark.parametrize("later", [-100.0, 601.0])
def test_numbers_of_another_boot_or_of_long_ago_are_forgotten(later: float) -> None:
    buffer = _buffer()
    before = SlidingWindow(buffer, 10, START)
    before.refuse(START, None, 6.0, START)
    for _ in range(10):
        before.grant(START)
    after = SlidingWindow(buffer, 10, START + later)
    assert after.rate == 10
    assert after.wait(START + later) <= 0


def test_a_process_that_starts_while_another_asks_changes_nothing() -> None:
    """Its time may be a little behind, because it waited for the lock."""
    buffer = _buffer()
    one = SlidingWindow(buffer, 3, START)
    for _ in range(3):
        one.grant(START)
    assert SlidingWindow(buffer, 3, START - 0.05).wait(START + 0.5) > 0


def test_a_permit_that_is_not_used_yet_holds_up_the_others() -> None:
    one = SlidingWindow(_buffer(), 2, START)
    place = one.grant(START)
    one.set_sent(place, None)
    one.grant(START + 0.5)
    assert one.wait(START + 10) == math.inf
    one.set_sent(place, START + 10)
    assert one.wait(START + 10) == pytest.approx(1 + GUARD_SECONDS)


def test_a_permit_of_a_process_that_died_is_lost() -> None:
    buffer = _buffer()
    one = SlidingWindow(buffer, 1, START)
    one.set_sent(one.grant(START), None)
    buffer[-64:][0] = _ended_process()
    assert one.wait(START + 1) == pytest.approx(1 + GUARD_SECONDS)
    assert one.wait(START + 1 + 1 + GUARD_SECONDS) <= 0


def test_a_permit_that_is_kept_for_too_long_is_lost() -> None:
    one = SlidingWindow(_buffer(), 1, START)
    one.set_sent(one.grant(START), None)
    assert one.wait(START + 15) == math.inf
    assert math.isfinite(one.wait(START + 21))


# --- in a file ------------------------------------------------------------------------------


def test_a_file_is_shared_by_all_who_open_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "x.pace"
    one, other = (SharedWindow(path, 2, START) for _ in range(2))
    with one.locked() as mine, other.locked() as theirs:
        assert mine
        assert not theirs
        for _ in range(2):
            one.window.grant(START)
    with other.locked() as theirs:
        assert theirs
        assert 0 < other.window.wait(START + 0.9) < 0.2


def test_a_file_of_another_make_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.pace"
    path.write_bytes(b"something else")
    assert SharedWindow(path, 7, START).window.rate == 7


def test_the_file_names_neither_key_nor_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    keys = (None, "0123456789abcdef")
    for key in keys:
        assert shared_window("eutils.example.org", key, 10, START) is not None
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
    assert shared_window("eutils.example.org", None, 10, START) is None
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert shared_window("eutils.example.org", None, PLACES, START) is None
    assert shared_window("eutils.example.org", None, 10, START) is not None
    assert any((tmp_path / "elink-harvester").iterdir())


def test_others_are_processes_that_were_granted_permits_lately(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buffer = np.zeros(buffer_size(16))
    window = SlidingWindow(buffer, 10.0, 100.0)
    for pid, at in ((7, 100.0), (8, 110.0), (9, 112.0), (9, 113.0), (7, 114.0)):
        monkeypatch.setattr("os.getpid", lambda pid=pid: pid)
        window.grant(at)
    assert window.others(114.0) == 2, "7 asks: 8 and 9 were granted some within 15 s"
    assert window.others(126.0) == 1
    assert window.others(140.0) == 0
