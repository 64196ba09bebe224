"""Dates in ELink's spellings: YYYY, YYYY/MM or YYYY/MM/DD."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

_SPELLING = re.compile(r"\d{4}(/(0?[1-9]|1[0-2])(/(0?[1-9]|[12]\d|3[01]))?)?", re.ASCII)


def first_day(text: str) -> date | None:
    """Return the first day of a year, month or day; None if the day does not exist."""
    return _day(text, first=True)


def last_day(text: str) -> date | None:
    """Return the last day of a year, month or day; None if the day does not exist."""
    return _day(text, first=False)


def _day(text: str, *, first: bool) -> date | None:
    if not _SPELLING.fullmatch(text):
        return None
    year, month, day = (*map(int, text.split("/")), 0, 0)[:3]
    month = month or (1 if first else 12)
    try:
        return date(year, month, day or (1 if first else monthrange(year, month)[1]))
    except ValueError:
        return None
