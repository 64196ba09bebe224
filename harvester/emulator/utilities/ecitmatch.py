"""ECitMatch: PMIDs of citations. The answer is text for every retmode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.answers.answer import TEXT_TYPE, Answer
from harvester.emulator.records.content import JOURNAL, PAGES, year_of

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend


def ecitmatch(request: UtilityRequest, backend: Backend) -> Answer:
    """Return each citation with its PMID, or with the reason why it has none."""
    lines = [line for line in request.get("bdata").replace("\n", "\r").split("\r") if line.strip()]
    text = "".join(f"{line.rstrip('|')}|{_found(line, backend)}\n" for line in lines)
    return Answer(text.encode(), TEXT_TYPE)


def _found(line: str, backend: Backend) -> str:
    journal, year, volume, page, author = [*map(str.strip, line.lower().split("|")), *[""] * 5][:5]
    if journal != JOURNAL.lower():
        return "NOT_FOUND;INVALID_JOURNAL"
    if not volume.isdigit():
        return "AMBIGUOUS (783 citations)"
    first = int(volume) * PAGES
    if not page.isdigit():
        return f"AMBIGUOUS {first + 1},{first + 2}"
    uid = first + int(page)
    last_name = f"author{uid % 1000}"  # with or without its initial
    is_right = year in ("", str(year_of(uid))) and author in ("", last_name, f"{last_name} a")
    return str(uid) if is_right and uid in backend.graph.records("pubmed") else "NOT_FOUND"
