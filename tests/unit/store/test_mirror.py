"""The small files of a harvest in an object store."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from harvester.errors import FolderInUse
from harvester.store.remote.mirror import Mirror

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.store.remote.bucket import Bucket


class Objects:
    """Stands for a bucket."""

    url = "s3://bucket/harvest"

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def sizes(self) -> dict[str, int]:
        return {name: len(content) for name, content in self.held.items()}

    def find(self, name: str) -> tuple[bytes, str] | None:
        return (self.held[name], f"tag of {self.held[name]!r}") if name in self.held else None

    def replace(self, name: str, content: bytes, seen: str | None) -> str | None:
        found = self.find(name)
        if seen != (found[1] if found else None):
            return None
        self.held[name] = content
        return f"tag of {content!r}"

    def delete(self, names: list[str]) -> None:
        for name in names:
            self.held.pop(name, None)


def test_a_process_that_was_taken_over_does_not_put_its_texts_back(tmp_path: Path) -> None:
    """It was paused between its commit and its small files, which are older now."""
    bucket = Objects()
    one = Mirror(tmp_path, cast("Bucket", bucket))
    (tmp_path / "job.toml").write_text("one")
    one.publish_texts()
    bucket.held["job.toml"] = b"of the other"
    one.publish_texts()
    assert bucket.held == {"job.toml": b"of the other"}


def test_a_process_whose_successor_has_a_record_puts_no_texts(tmp_path: Path) -> None:
    """It was paused after its first commit, before it wrote any small file."""
    bucket = Objects()
    one = Mirror(tmp_path, cast("Bucket", bucket))
    (tmp_path / "job.toml").write_text("one")
    bucket.held |= {"commits/00000001.sqlite": b"", "job.toml": b"of the other"}
    with pytest.raises(FolderInUse, match="taken over"):
        one.publish_texts()
    assert bucket.held["job.toml"] == b"of the other"


def test_a_text_of_the_process_before_is_replaced(tmp_path: Path) -> None:
    bucket = Objects()
    one = Mirror(tmp_path, cast("Bucket", bucket))
    bucket.held["job.toml"] = b"of the process before"
    (tmp_path / "job.toml").write_text("one")
    one.publish_texts()
    assert bucket.held == {"job.toml": b"one"}


def test_texts_that_change_or_vanish_do_so_in_the_store(tmp_path: Path) -> None:
    bucket = Objects()
    one = Mirror(tmp_path, cast("Bucket", bucket))
    for content in ("a", "b", None, "b"):
        path = tmp_path / "unanswered.txt"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content)
        one.publish_texts()
        assert bucket.held == ({} if content is None else {path.name: content.encode()})
