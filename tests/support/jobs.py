"""Settings of a valid job, and the error message for an invalid one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harvester.errors import BadInput
from harvester.job import load

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = {"base_url": "http://localhost:8080/"}
BASE: dict[str, dict[str, Any]] = {
    "link": {"dbfrom": "pubmed"},
    "output": {"path": "out"},
    "server": LOCAL,
}
SECRET = "0123456789abcdef0123456789abcdef0123"
"""Stands for an API key."""


def changed(**groups: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of a valid job, with some keys changed."""
    together = {group: dict(keys) for group, keys in BASE.items()}
    for group, keys in groups.items():
        together[group] = {**together.get(group, {}), **keys}
    return together


def rejected(
    options: dict[str, dict[str, Any]] | None = None,
    path: Path | None = None,
    environ: dict[str, str] | None = None,
) -> BadInput:
    """Return the error that a job raises."""
    with pytest.raises(BadInput) as caught:
        load.build(options, path, environ or {})
    return caught.value


def refused(
    options: dict[str, dict[str, Any]] | None = None,
    path: Path | None = None,
    environ: dict[str, str] | None = None,
) -> str:
    """Return its message."""
    return str(rejected(options, path, environ))
