"""Dates of records: generated records are numbered by the day they appear."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest

_FIRST_DAY, _UIDS_PER_DAY = date(1960, 1, 1), 1_690
"""The 41 millionth record appears in the middle of the 2020s, as in PubMed."""

_LAST = 2**64


def request_dates(request: UtilityRequest) -> tuple[int, int]:
    """Return the range of UIDs of `reldate`, or of `mindate` and `maxdate` together."""
    if request.get("reldate").isdigit():
        today = datetime.now(UTC).date()
        return _number(today - timedelta(days=int(request.get("reldate")))), _LAST
    if request.get("mindate") and request.get("maxdate"):
        return uids_of_days(request.get("mindate"), request.get("maxdate"))
    return 1, _LAST


def uids_of_days(first: str, last: str) -> tuple[int, int]:
    """Return the UIDs of the days from `first` to `last`, each YYYY, YYYY/MM or YYYY/MM/DD."""
    try:
        start, after = _day(first), _day(last, after=True)
    except ValueError:
        return 1, 0
    return _number(start), _number(after) - 1


def _day(text: str, *, after: bool = False) -> date:
    """Return the first day of a year, month or day; or the day after its last."""
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
    """Return the first UID of a day."""
    return max((day - _FIRST_DAY).days * _UIDS_PER_DAY + 1, 1)
