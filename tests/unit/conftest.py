"""Fixtures that several test modules use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harvester.sources import text as lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Return a function that writes a job file."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "job.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[bytes], str]:
    """Return a function that writes a list of UIDs and returns its name."""

    def write(data: bytes) -> str:
        path = tmp_path / "uids.txt"
        path.write_bytes(data)
        return str(path)

    return write


@pytest.fixture(scope="module", params=[0, 1 << 30], ids=["in bulk", "word by word"])
def either_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Read lists by both implementations: for large and for short ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_SHORT", request.param)
        yield
