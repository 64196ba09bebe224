"""The job kept in a harvest's folder, as readers need it: plain values, without validation."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from harvester.errors import FolderError
from harvester.model.row_schemas import link_schema
from harvester.store.folder import JOB
from harvester.store.opening import holds, opening

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_job(folder: Path) -> dict[str, Any]:
    """Return the groups of the job of a harvest or a chain, checked as far as readers need.

    Raises:
        FolderError: it is missing or damaged.
    """
    path = folder / JOB
    if not holds(folder, JOB):
        raise FolderError(
            f"{path} is missing: the run stopped before its first commit. Run it again."
        )
    try:
        with opening(path):
            job = tomllib.loads(path.read_text(encoding="utf-8"))
        link = job["link"]
        "".join([link["dbfrom"], *link.get("db", [])])  # names, not other values
        link_schema(link.get("cmd", "neighbor"))
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise FolderError(
            f"{path} is damaged; restore it from a backup, or run the job again with its options."
        ) from error
    return job


def passes_of(job: Mapping[str, Any]) -> int:
    """Return the number of passes of a job."""
    limits = job.get("limits")
    passes = limits.get("passes", 1) if isinstance(limits, dict) else 1
    return passes if isinstance(passes, int) else 1
