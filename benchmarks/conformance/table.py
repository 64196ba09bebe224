"""The tables of docs/conformance.md: one per group of faults, one row per fault."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.conformance.clients import CLIENTS, HOW
from benchmarks.conformance.rows import ROWS
from benchmarks.conformance.scoring import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.conformance.client_runs import ClientResult
    from benchmarks.conformance.rows import Row

SYMBOLS = {
    Verdict.EXACT: "✓",
    Verdict.MERGED: "∪",
    Verdict.LOUD: "✗",
    Verdict.NOTED: "!",
    Verdict.ENDLESS: "⧖",
    Verdict.SILENT: "▲",
}

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def cell(result: ClientResult | None) -> str:
    """Return a symbol, a text, and a key symbol if the API key was on the terminal."""
    if result is None:
        return ""
    if not result.met:
        return "–"
    key = " 🔑" if "terminal" in result.leaked else ""
    return f"{SYMBOLS[result.score.verdict]} {result.score.words}".strip() + key


def measured(
    results: Mapping[tuple[Row, str], ClientResult], versions: Mapping[str, str | None]
) -> str:
    """Return all results in Markdown.

    Args:
        results: by row and client.
        versions: of the clients, in the order of the columns; None for one that is not there.
    """
    told = [_sums(results, versions)]
    for group, rows in ROWS.items():
        lines = [[cell(results.get((row, name))) for name in versions] for row in rows]
        told.append(f"### {group}\n\n" + _table([row.title for row in rows], lines, versions))
    return "\n\n".join(told)


def _table(titles: Sequence[str], lines: Sequence[Sequence[str]], names: Iterable[str]) -> str:
    head = ["", *(CLIENTS[name] for name in names)]
    rows = [head, ["---"] * len(head)]
    rows += [[title, *line] for title, line in zip(titles, lines, strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _sums(
    results: Mapping[tuple[Row, str], ClientResult], versions: Mapping[str, str | None]
) -> str:
    """Return the table of verdict counts per client, and of leaked API keys."""
    result = {
        name: [one for (_, who), one in results.items() if who == name and one.met]
        for name in versions
    }
    sums = {name: Counter(one.score.verdict for one in ones) for name, ones in result.items()}
    titles = [f"rows {SYMBOLS[verdict]}" for verdict in Verdict]
    lines = [[str(sums[name][verdict] or "") for name in versions] for verdict in Verdict]
    for place, title in {"terminal": "rows 🔑", "file": "rows, the API key in a file"}.items():
        seen = [sum(place in one.leaked for one in ones) for ones in result.values()]
        if place == "terminal" or any(seen):
            titles.append(title)
            lines.append([str(count or "") for count in seen])
    told = [
        version or f"not found: {HOW.get(name, '`make conformance`')}"
        for name, version in versions.items()
    ]
    return _table(["version", *titles], [told, *lines], versions)


def insert(page: str, text: str) -> str:
    """Return the page with its measured part replaced."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
