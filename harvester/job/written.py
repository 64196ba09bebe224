"""A job as a file to edit: its keys with their meaning, and some more as comments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from harvester.job.model import Job
from harvester.model.place import url_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OFTEN_CHANGED = {
    "link": ("db", "linkname", "cmd"),
    "output": ("format", "compression", "keep_raw"),
    "limits": ("rate", "batch_size", "window", "passes", "max_attempts", "stop_at_window_end"),
    "contact": ("email",),
}
"""Keys that are in the file as comments if they have their defaults."""

_EXAMPLES: dict[str, Any] = {
    "linkname": ["pubmed_pmc"],
    "rate": 3.0,
    "compression": "zstd",
    "email": "you@example.org",
}
"""Values in comments of keys that have no default."""


def written_job(job: Job, summary: Iterable[str] = ()) -> str:
    """Return a job as TOML with comments; loading it gives the same job.

    Args:
        job: the job; it holds no secret.
        summary: lines to begin with, as comments.
    """
    lines = [f"# {line}".rstrip() for line in summary]
    groups = job.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    for group, key in (("output", "path"), ("source", "run")):
        if url := url_of(Path(groups.get(group, {}).get(key, ""))):
            groups[group][key] = url
    for group in Job.model_fields:
        if group != "hop":
            lines += _group(group, getattr(job, group), groups.get(group, {}))
        if group == "link":
            for hop in groups.get("hop", []):
                lines += ["", "[[hop]]  # from the records that the links above lead to"]
                lines += [_pair(key, value) for key, value in hop.items()]
    return "\n".join(lines).strip("\n") + "\n"


def _group(name: str, group: Any, given: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of one group; none if it has no keys to show."""
    often = _OFTEN_CHANGED.get(name, ())
    shown = [key for key in type(group).model_fields if key in given or key in often]
    if not shown:
        return
    yield ""
    yield f"[{name}]"
    for key in shown:
        field = type(group).model_fields[key]
        yield f"# {field.description}"
        if key in given:
            yield _pair(key, given[key])
        else:
            default = field.get_default()
            value = _EXAMPLES.get(key, default) if default in (None, []) else default
            yield f"# {_pair(key, value)}"


def _pair(key: str, value: Any) -> str:
    if isinstance(value, list):
        items = ", ".join(tomli_w.dumps({"x": item}).strip().partition(" = ")[2] for item in value)
        return f"{key} = [{items}]"
    return tomli_w.dumps({key: value}).strip()
