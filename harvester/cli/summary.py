"""The summary after a harvest: counts, how to read the result, the command for failed UIDs."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from harvester.api.remote import shown
from harvester.errors import BadInput, FolderError
from harvester.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harvester.api.harvest import Result
    from harvester.errors import HarvestError


def add_next_command(error: HarvestError, folder: Path, command: str) -> None:
    """Add to the error of a run that ended early the command that continues it, if one does."""
    if not isinstance(error, BadInput | FolderError) and folder.exists():
        error.add_note(f"Go on with: {command}")


def summary(result: Result) -> str:
    """Return a line for each harvest, one for each database of records, and how to read them."""
    return "\n".join(_lines(result))


def _lines(result: Result) -> Iterator[str]:
    hops = result.hops or (result,)
    for hop in hops:
        yield _links(hop)
    if (again := result.refreshed) is not None:
        yield (
            f"{count(again.uids, 'UID')} asked again: {count(again.added, 'link')} added, "
            f"{again.removed:,} removed"
        )
        if again.unanswered:
            yield f"{count(again.unanswered, 'UID')} gave no new answer and kept what they had."
    if result.rejected:
        yield (
            f"{result.rejected:,} entries of the input are not UIDs and were left out; "
            f"they are listed in rejected.tsv."
        )
    for one in result.records:
        got = one.outcomes.get("linked", 0)
        yield f"{got:,} of {count(one.total, 'record')} in {shown(one.folder)}"
    if hops[-1].link_count:
        yield from how_to_read(hops[-1].folder)
    for one in (*hops, *result.records):
        if one.state != "complete":
            yield from _what_is_missing(one)


def how_to_read(folder: Path) -> Iterator[str]:
    """Yield a line for each of some languages that reads the links of a harvest."""
    yield "Read the links with:"
    yield f"  Python  harvester.read({_quoted(shown(folder))}).links()"
    parts = sorted(folder.glob("links/part-*"))
    if not parts:
        return
    links = f"{shown(folder)}/links"
    sql = f"{links}/*{''.join(parts[0].suffixes)}".replace("'", "''")
    yield f"  DuckDB  FROM '{sql}'"
    if parts[0].suffix == ".parquet":
        yield f"  R       arrow::open_dataset({_quoted(links)})"


def _what_is_missing(result: Result) -> Iterator[str]:
    bad = sum(result.outcomes.get(name, 0) for name in ("missing", "failed"))
    are = "is" if bad == 1 else "are"
    listed = f"{shown(result.folder)}/unanswered.txt"
    yield f"{count(bad, 'failed or missing UID')} {are} listed in {listed}."
    yield "Query them again with:" if bad > 1 else "Query it again with:"
    yield f"  harvester resume {shlex.quote(shown(result.folder))} --retry-failed"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _links(result: Result) -> str:
    outcomes = ", ".join(
        f"{result.outcomes.get(name, 0):,} {name}"
        for name in ("linked", "empty", "missing", "failed")
        if result.outcomes.get(name) or name in ("linked", "empty")
    )
    return (
        f"{count(result.link_count, 'link')} of {count(result.total, 'UID')} ({outcomes}) "
        f"in {shown(result.folder)}"
    )
