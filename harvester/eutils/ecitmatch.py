"""ECitMatch: the PMIDs of citations. Lines with `|` between fields, whatever the retmode.

A line of the answer repeats the fields of its citation and ends with a PMID, or with `NOT_FOUND`,
`NOT_FOUND;INVALID_JOURNAL`, `AMBIGUOUS (783 citations)` or `AMBIGUOUS 26315901,25768914`.
Fields may be missing if nothing is found (users' reports). Lines are matched by the key, the last
field but one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.errors import Fault, RequestFailed, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

PATH = "ecitmatch.cgi"

MOST = 100
"""Citations per request; users send 25 to some hundreds."""

_BARS = re.compile(r"[|\r\n]+")


@dataclass(frozen=True, slots=True)
class Citation:
    """The parts of a citation; each may be empty.

    Attributes:
        journal: title or abbreviation.
        year: year of publication.
        volume: as printed.
        first_page: as printed.
        author: last name and initials, for example `mann bj`.
    """

    journal: str = ""
    year: str | int = ""
    volume: str | int = ""
    first_page: str | int = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The article that a citation means.

    Attributes:
        pmid: PMID of the article; None if none was found, or several.
        candidates: PMIDs of several articles, if ECitMatch names them.
        said: NCBI's text in place of a PMID.
    """

    pmid: int | None = None
    candidates: tuple[int, ...] = ()
    said: str = ""


def bdata(citations: Sequence[Citation]) -> str:
    """Return citations as the parameter of a request; the key of each is its place."""
    lines = []
    for place, one in enumerate(citations):
        parts = (one.journal, one.year, one.volume, one.first_page, one.author, f"key{place}")
        lines.append("|".join(_BARS.sub(" ", str(part)).strip() for part in parts) + "|")
    return "\r".join(lines)


def read(body: bytes, count: int) -> list[Match]:
    """Return what was found for each of `count` citations, in their order.

    Raises:
        RequestFailed: the body is not an answer of ECitMatch, or a citation is left out.
    """
    found: dict[str, Match] = {}
    for line in re.split(r"[\r\n]+", body.decode("utf-8", "replace")):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) >= 2:
            found[parts[-2]] = _match(parts[-1])
    keys = [f"key{place}" for place in range(count)]
    if not found.keys() >= set(keys):
        raise RequestFailed(Fault.BODY, "the answer is not ECitMatch's, or lacks a citation")
    return [found[key] for key in keys]


def _match(said: str) -> Match:
    if re.fullmatch(r"\d{1,18}", said, re.ASCII):
        return Match(int(said))
    named = re.fullmatch(r"AMBIGUOUS\s+([\d,\s]+)", said, re.ASCII)
    candidates = map(int, re.findall(r"\d{1,18}", named[1])) if named else ()
    return Match(None, tuple(candidates), printable(said))
