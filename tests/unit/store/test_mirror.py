"""The small files of a harvest in an object store."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from harvester.store.remote.mirror import Mirror

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.store.remote.bucket import Bucket


class Objects:
    """Stands for a bucket."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        self.held[name] = content

    def delete(self, names: list[str]) -> None:
        for name in names:
            self.held.pop(name, None)


def test_a_process_that_was_taken_over_does_not_put_its_texts_back(tmp_path: Path) -> None:
    """It was paused between its commit and its small files, which are those of the one before."""
    bucket = Objects()
    one = Mirror(tmp_path, cast("Bucket", bucket))
    (tmp_path / "job.toml").write_text("one")
    one.publish_texts()
    bucket.put("job.toml", b"of the other")
    one.publish_texts()
    assert bucket.held == {"job.toml": b"of the other"}


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
