"""Status of a harvest: the progress that a run records, and the object for other processes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harvester.store.folder import LINKS, hop_folders, is_locked
from harvester.store.kept_job import read_job
from harvester.store.reader import HarvestReader
from harvester.store.remote.fetch import is_run_elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

COUNTS = ("sent", "ok", "retried", "rate_limited")
"""Keys of the counts of requests."""

OUTCOMES = ("linked", "empty", "missing", "failed")
_BAD = ("missing", "failed")
_KINDS = ("links", "uids", "unanswered")
_ENDED = ("complete", "complete_with_failures")
_BY_URGENCY = ("running", "waiting", "interrupted", "complete_with_failures", "complete")
"""States of a hop; the state of a chain is the first of them that any hop has."""


def harvest_status(folder: Path) -> dict[str, Any]:
    """Return the status of the harvest in a folder, also while another process runs it.

    Returns:
        The object of `harvester status --json`; counts are of what is committed.

    Raises:
        BadInput: the folder holds no harvest.
        FolderError: its state or its job is damaged.
    """
    running = is_locked(folder) or is_run_elsewhere(folder)
    found = HarvestReader.open(folder)
    progress, agreed = found.progress, found.agreement
    said = progress.get("state", "interrupted")
    known = said if running or said in _ENDED else "interrupted"
    return {
        "state": known,
        "waiting": progress.get("waiting") if running else None,
        "holds": found.holds,
        "job": _flat(found.job),
        "uids": {"total": found.total, "done": sum(found.outcomes.values())}
        | {outcome: found.outcomes.get(outcome, 0) for outcome in OUTCOMES},
        "partial_source": found.partial_source,
        "links": found.link_count,
        "missing_links": {
            name: one["missing"] for name, one in agreed[max(agreed, key=int)].items()
        }
        if agreed
        else {},
        "parts": [part.name for part in found.parts if part.kind in _KINDS],
        "sweep": progress.get("sweep"),
        "refreshing": found.refreshing,
        "rounds": [asdict(one) for one in found.rounds],
        "limited_by": progress.get("limited_by") if running else None,
        "slowed": running and progress.get("slowed", False),
        "warnings": found.warnings,
        "requests": dict.fromkeys(COUNTS, 0) | progress.get("requests", {}),
        "rate": progress.get("rate", {"limit": None, "achieved": 0.0}),
        "eta_seconds": 0.0 if known in _ENDED else progress.get("eta_seconds"),
        "started_at": progress.get("started_at"),
        "updated_at": progress.get("updated_at"),
    }


def chain_status(folder: Path) -> dict[str, Any]:
    """Return the status of a chain of harvests: counts over all hops, and each hop in `hops`.

    Raises:
        FolderError: a state is damaged.
    """
    hops = [harvest_status(hop) for hop in hop_folders(folder)]
    return {
        "state": chain_state(hop["state"] for hop in hops),
        "waiting": next((hop["waiting"] for hop in hops if hop["waiting"]), None),
        "holds": {"kind": LINKS},
        "job": _flat(read_job(folder)),
        "uids": sums(hop["uids"] for hop in hops),
        "partial_source": any(hop["partial_source"] for hop in hops),
        "links": sum(hop["links"] for hop in hops),
        "parts": [
            f"{path.name}/{part}"
            for path, hop in zip(hop_folders(folder), hops, strict=True)
            for part in hop["parts"]
        ],
        "requests": sums(hop["requests"] for hop in hops),
        "missing_links": {name: one for hop in hops for name, one in hop["missing_links"].items()},
        "sweep": None,
        "refreshing": next((hop["refreshing"] for hop in hops if hop["refreshing"]), None),
        "rounds": [],
        "limited_by": next((hop["limited_by"] for hop in hops if hop["limited_by"]), None),
        "slowed": any(hop["slowed"] for hop in hops),
        "warnings": [text for hop in hops for text in hop["warnings"]],
        "rate": {
            "limit": max((hop["rate"]["limit"] or 0.0 for hop in hops), default=0.0) or None,
            "achieved": sum(hop["rate"]["achieved"] for hop in hops),
        },
        "eta_seconds": max((hop["eta_seconds"] or 0.0 for hop in hops), default=0.0),
        "started_at": min(filter(None, (hop["started_at"] for hop in hops)), default=None),
        "updated_at": max(filter(None, (hop["updated_at"] for hop in hops)), default=None),
        "hops": hops,
    }


def chain_state(states: Iterable[str]) -> str:
    """Return the state of a chain, from the states of its hops."""
    found = set(states)
    return next((name for name in _BY_URGENCY if name in found), "complete")


def sums(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of counts, by name."""
    together: Counter[str] = Counter()
    for count in counts:
        together.update(count)
    return dict(together)


EXIT_CODES: Mapping[str, int] = {"complete": 0, "complete_with_failures": 3}
"""State in which a run ended → exit code of its command."""


def end_state(outcomes: Mapping[str, int]) -> str:
    """Return the state of a harvest in which every UID has an outcome."""
    return "complete_with_failures" if any(map(outcomes.get, _BAD)) else "complete"


def _flat(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of all groups of a job side by side; no two groups share one."""
    flat = {"db": ["all"], "cmd": "neighbor"}
    for group in job.values():
        flat |= group if isinstance(group, dict) else {}
    return flat
