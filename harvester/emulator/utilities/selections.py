"""What a query selects: UIDs in a range, of these every n-th; all counts without counting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from harvester.emulator.graph.mixing import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harvester.emulator.request import UtilityRequest

_RANGE = re.compile(r"\s*(\d+)\s*(?::\s*(\d+)\s*)?\[uid\]\s*", re.IGNORECASE)
_DATES = re.compile(
    r"\s*([\d/]{4,10})\s*(?::\s*([\d/]{4,10})\s*)?\[(?:pdat|dp|edat|crdt|mdat)\]\s*", re.IGNORECASE
)
_ALL = re.compile(
    r"\s*all\s*(?:\[(?:filter|sb|all)\])?(?:\s+NOT\s+pubmed\s+books\s*\[sb\])?\s*", re.IGNORECASE
)
"""EDirect asks for all but the books, of which there are none here."""

_NONE = re.compile(r"\s*(?:none|abcXYZ)(?:\[[\w ]+\])?\s*", re.IGNORECASE)

_REFERENCE = re.compile(r"\s*#(\d+)\s*")

_MODULI = (2, 3, 7, 50, 400, 5_000, 100_000)
"""A text selects one record in so many: from millions of hits to a few hundred."""

_FIRST_DAY, _UIDS_A_DAY = date(1960, 1, 1), 1_690
"""Records are numbered as they appear: the 41 millionth at the middle of the 2020s."""

_LAST = 2**64


@dataclass(frozen=True, slots=True)
class Selection:
    """Those UIDs from `low` to `high` that leave `residue` when divided by `modulus`."""

    low: int = 1
    high: int = _LAST
    modulus: int = 1
    residue: int = 0

    def of(self, records: Sequence[int]) -> Sequence[int]:
        """The selected among a database's UIDs, descending as those are."""
        if not isinstance(records, range):
            return [uid for uid in records if self._holds(uid)]
        if not records:
            return records
        top = min(self.high, records[0])
        bottom = max(self.low, records[-1])
        if self.modulus == 1:
            first = top - (top - records[0]) % -records.step
            return range(first, bottom - 1, records.step)
        if records.step != -1:
            return [uid for uid in records if self._holds(uid)]
        first = top - (top - self.residue) % self.modulus
        return range(first, bottom - 1, -self.modulus)

    def among(self, uids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of some UIDs are selected."""
        inside = (uids >= self.low) & (uids <= min(self.high, 2**63 - 1))
        chosen: NDArray[np.bool_] = inside & (uids % self.modulus == self.residue)
        return chosen

    def _holds(self, uid: int) -> bool:
        return self.low <= uid <= self.high and uid % self.modulus == self.residue


def references(request: UtilityRequest) -> list[str]:
    """The query_keys of sets on the History server that a request is to be cut with.

    By parameter, or as clauses `#1` of `term` (NBK25497).
    """
    clauses = re.split(r"\s+AND\s+", request.get("term").strip())
    found = [match[1] for one in clauses if (match := _REFERENCE.fullmatch(one.strip("() ")))]
    return [key for key in (request.get("query_key"), *found) if key]


def selection(request: UtilityRequest) -> Selection:
    """What `term` and the date parameters of a request select.

    Clauses are joined by AND. `5:9[UID]` is a range of UIDs, `2001:2003[pdat]` one of dates,
    `all[filter]` everything, `none` nothing; any other text stands for one record in so many.
    `#1` is left to `references`.
    """
    low, high, words = 1, _LAST, []
    for clause in re.split(r"\s+AND\s+", request.get("term").strip().strip("()")):
        bare = clause.strip("() ")
        if _REFERENCE.fullmatch(bare):
            continue
        if match := _RANGE.fullmatch(bare):
            bounds = int(match[1]), int(match[2] or match[1])
        elif match := _DATES.fullmatch(bare):
            bounds = _days(match[1], match[2] or match[1])
        elif _NONE.fullmatch(bare):
            bounds = (1, 0)
        else:
            if bare and not _ALL.fullmatch(bare):
                words.append(bare.lower())
            continue
        low, high = max(low, bounds[0]), min(high, bounds[1])
    first, last = dates(request)
    low, high = max(low, first), min(high, last)
    if not words:
        return Selection(low, high)
    key = key_of("term", *words)
    modulus = _MODULI[key % len(_MODULI)]
    return Selection(low, high, modulus, (key >> 8) % modulus)


def dates(request: UtilityRequest) -> tuple[int, int]:
    """The range of UIDs that reldate, or mindate and maxdate together, stand for."""
    if request.get("reldate").isdigit():
        today = datetime.now(UTC).date()
        return _number(today - timedelta(days=int(request.get("reldate")))), _LAST
    if request.get("mindate") and request.get("maxdate"):
        return _days(request.get("mindate"), request.get("maxdate"))
    return 1, _LAST


def _days(first: str, last: str) -> tuple[int, int]:
    """UIDs of the days from `first` to `last`, each YYYY, YYYY/MM or YYYY/MM/DD."""
    try:
        start, after = _day(first), _day(last, after=True)
    except ValueError:
        return 1, 0
    return _number(start), _number(after) - 1


def _day(text: str, *, after: bool = False) -> date:
    """The first day of a year, month or day; or the day after its last."""
    parts = [int(part) for part in text.split("/") if part]
    year, month, day = (*parts, 1, 1)[:3]
    if not after:
        return date(year, month, day)
    if len(parts) == 1:
        return date(year + 1, 1, 1)
    if len(parts) == 2:
        return date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, day) + timedelta(days=1)


def _number(day: date) -> int:
    """The first UID of a day."""
    return max((day - _FIRST_DAY).days * _UIDS_A_DAY + 1, 1)
