"""Files are whole or absent after a crash before or after every step."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

import pytest
import xxhash

from harvester.store import durable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD, NEW = b"old content\n", b"new content, and more of it\n" * 100


class Crash(BaseException):
    """An exception that the program never catches, so that the disk stays as it is."""


def _new(stream: IO[bytes]) -> None:
    stream.write(NEW[:1000])
    stream.write(NEW[1000:])


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_whole_and_known_by_size_and_checksum(tmp_path: Path) -> None:
    path = tmp_path / "part"
    written = durable.write(path, _new)
    assert path.read_bytes() == NEW
    assert written == durable.Written(len(NEW), xxhash.xxh3_128_hexdigest(NEW))
    assert durable.checksum(path) == written
    assert _names(tmp_path) == ["part"]


def test_what_stood_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(OLD * 1000)
    durable.write(path, _new)
    assert path.read_bytes() == NEW


def test_text_is_written_in_utf8(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    durable.write_text(path, "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"


def test_the_checksum_is_of_the_bytes_whatever_they_come_as(tmp_path: Path) -> None:
    path = tmp_path / "part"

    def fill(stream: IO[bytes]) -> None:
        stream.write(bytearray(b"ab"))
        stream.write(memoryview(b"xxcdxx")[2:4])
        stream.close()

    written = durable.write(path, fill)
    assert path.read_bytes() == b"abcd"
    assert written == durable.checksum(path)


def test_the_checksum_of_a_changed_file_is_another(tmp_path: Path) -> None:
    path = tmp_path / "part"
    written = durable.write(path, _new)
    path.write_bytes(NEW[:-1] + b"!")
    changed = durable.checksum(path)
    assert changed.bytes == written.bytes
    assert changed.checksum != written.checksum


class _Steps:
    """Replaces some calls of `os`, records them, and raises before or after one of them."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, fail_at: int, error: BaseException, *, after: bool
    ) -> None:
        self.taken: list[str] = []
        for name in ("fsync", "replace"):
            monkeypatch.setattr(os, name, self._wrapped(name, fail_at, error, after=after))

    def _wrapped(
        self, name: str, fail_at: int, error: BaseException, *, after: bool
    ) -> Callable[..., Any]:
        real = getattr(os, name)

        def step(*args: Any, **kwargs: Any) -> Any:
            self.taken.append(name)
            if len(self.taken) - 1 == fail_at and not after:
                raise error
            result = real(*args, **kwargs)
            if len(self.taken) - 1 == fail_at:
                raise error
            return result

        return step


def test_the_content_is_synced_then_renamed_then_the_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = _Steps(monkeypatch, 99, Crash(), after=False)
    durable.write(tmp_path / "part", _new)
    assert steps.taken == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("error", [Crash(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("old", [OLD, None], ids=["old", "none"])
def test_broken_off_anywhere_the_content_is_old_or_new_and_whole(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    error: BaseException,
    old: bytes | None,
    after: bool,
) -> None:
    path = tmp_path / "part"
    if old is not None:
        path.write_bytes(old)
    _Steps(monkeypatch, step, error, after=after)
    with pytest.raises(type(error)):
        durable.write(path, _new)
    monkeypatch.undo()
    renamed = step == 2 or (step == 1 and after)
    content = path.read_bytes() if path.exists() else None
    assert content == (NEW if renamed else old)
    durable.write(path, _new)
    assert path.read_bytes() == NEW
    assert _names(tmp_path) == ["part"]


@pytest.mark.parametrize("written", [0, 1, 1000])
def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path, written: int) -> None:
    path = tmp_path / "part"
    path.write_bytes(OLD)

    def fill(stream: IO[bytes]) -> None:
        stream.write(b"x" * written)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        durable.write(path, fill)
    assert path.read_bytes() == OLD
    assert _names(tmp_path) == ["part"]


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.write(tmp_path / "gone" / "part", _new)
