"""Entries of a list or a table that are not UIDs: collected, then reported together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from harvester.errors import BadInput, printable
from harvester.sources.compressed import display_name
from harvester.sources.notation import display_word
from harvester.store import durable
from harvester.store.folder import REJECTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Warn: TypeAlias = Callable[[str], None]
    """Called with a sentence about something odd that does not stop the harvest."""

_LISTED = 10
"""Maximum number of wrong entries listed in an error."""

_COUNTED = 10_000
"""Number of wrong entries after which reading ends, unless they are to be left out."""


class Rejected(NamedTuple):
    """Entry that is not a UID.

    Attributes:
        file: path, or `-` for standard input.
        line: number of its line, from 1; of a Parquet file, of its row.
        text: the entry.
        why: a sentence.
    """

    file: str
    line: int
    text: str
    why: str


if TYPE_CHECKING:
    Reject: TypeAlias = Callable[[Rejected], None]
    """Called with each entry that is left out."""


def write_rejected(folder: Path, entries: Sequence[Rejected]) -> None:
    """Write the entries that were left out into a harvest's folder; without any, remove the file.

    One line each: file, line, text, why, separated by tabs.
    """
    if not entries:
        (folder / REJECTED).unlink(missing_ok=True)
        return
    rows = (
        (printable(entry.file), str(entry.line), printable(entry.text), printable(entry.why, 400))
        for entry in entries
    )
    lines = [("file", "line", "text", "why"), *rows]
    durable.write_text(folder / REJECTED, "".join("\t".join(row) + "\n" for row in lines))


def count_rejected(folder: Path) -> int:
    """Return the number of entries that were left out of a harvest's input."""
    try:
        with (folder / REJECTED).open("rb") as stream:
            return max(sum(1 for _ in stream) - 1, 0)
    except FileNotFoundError:
        return 0


class BadEntries:
    """Wrong entries of one file.

    Args:
        name: path of the file, or `-`.
        unit: what the numbers count: `line`, or `row` in a Parquet file; empty for a list in
            memory, whose places are counted from 0.
        reject: called with each wrong entry, which is then left out; None makes it an error.
        warn: called with a sentence about cells that say that there is no value.
        skip: the option that leaves wrong entries out, for the error; empty if there is none.

    Attributes:
        warn: for other warnings about the file.
    """

    def __init__(
        self,
        name: str,
        unit: str = "line",
        reject: Reject | None = None,
        warn: Warn = lambda _: None,
        skip: str = "add --skip-bad",
    ) -> None:
        self._name = name
        self._unit = unit
        self._reject = reject
        self.warn = warn
        self._skip = skip
        self._first: list[Rejected] = []
        self._count = 0
        self._missing: Counter[str] = Counter()

    def add(self, line: int, text: str, why: str) -> None:
        """Add an entry.

        Raises:
            BadInput: There are too many to continue.
        """
        if line == 1 and self._unit == "line" and _may_be_header(text):
            why += " If line 1 names the columns of a table, choose one by name with --ids-column."
        entry = Rejected(self._name, line, text, why)
        self._count += 1
        if self._reject is not None:
            self._reject(entry)
            return
        if len(self._first) < _LISTED:
            self._first.append(entry)
        if self._count >= _COUNTED:
            self.finish()

    def add_missing(self, text: str, count: int = 1) -> None:
        """Count cells that say that there is no value, such as NA."""
        self._missing[text] += count

    def finish(self) -> None:
        """End the file.

        Raises:
            BadInput: There were wrong entries that are not left out; lists the first ten.
        """
        if self._first:
            raise BadInput(self._sentence())
        if self._missing:
            markers = ", ".join(
                f"'{display_word(text)}'" for text, _ in self._missing.most_common(5)
            )
            count = self._missing.total()
            if self._unit:
                rows = "1 row is" if count == 1 else f"{count:,} rows are"
                lost = f"{rows} left out that have no UID"
            else:
                lost = "1 gap is left out" if count == 1 else f"{count:,} gaps are left out"
            self.warn(f"{display_name(self._name)}: {lost} ({markers}).")

    def _sentence(self) -> str:
        name, first = display_name(self._name), self._first[0]
        sentence = f"{name}{self._place(first, ', ')}: {first.why}"
        if self._count == 1:
            return sentence
        count = f"{self._count:,}" + ("" if self._count < _COUNTED else " or more")
        listed = ", ".join(
            f"{self._place(entry)} '{display_word(entry.text)}'" for entry in self._first
        )
        more = ", …" if self._count > len(self._first) else ""
        skip = f" To leave such entries out, {self._skip}." if self._skip else ""
        return f"{sentence} In all, {count} entries are wrong: {listed}{more}.{skip}"

    def _place(self, entry: Rejected, before: str = "") -> str:
        return f"{before}{self._unit} {entry.line}" if self._unit else f"[{entry.line}]"


def _may_be_header(text: str) -> bool:
    return any(map(str.isalpha, text)) and not any(map(str.isdigit, text))
