"""Selections of UIDs: what a query selects, counted without enumerating all records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from harvester.emulator.databases import canonical
from harvester.emulator.graph.mixing import key_of
from harvester.emulator.utilities.dates import request_dates
from harvester.emulator.utilities.query import Operation, clauses, only_and, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.query import Clause, Operator, Query

_ONE_IN = (2, 3, 7, 50, 400, 5_000, 100_000)
"""Words select one record in N; N is drawn by the words."""

_THINNED = (2, 3, 7)
"""Words that follow a query with OR or NOT keep one in N of its records."""

_LAST = 2**64


@dataclass(frozen=True, slots=True)
class Selection:
    """UIDs from `low` to `high`, and of these one in N that is drawn by `key`.

    Attributes:
        low: lowest UID.
        high: highest UID.
        key: number drawn from the words of a query; None selects all UIDs of the range.
        uids: only these UIDs; None is all.
    """

    low: int = 1
    high: int = _LAST
    key: int | None = None
    uids: frozenset[int] | None = None

    def of(self, records: Sequence[int], size: int = 0, most: int | None = None) -> Sequence[int]:
        """Return the selected UIDs, descending like the records.

        Args:
            records: UIDs of a database, or of a set of them.
            size: number of records of the whole database.
            most: hits of words in the whole database at most; None is no limit.
        """
        modulus, residue = self._one_in(size, most)
        if self.uids is not None:
            held = records if isinstance(records, range) else set(records)
            records = [uid for uid in sorted(self.uids, reverse=True) if uid in held]
        if not isinstance(records, range):
            return [
                uid for uid in records if self.low <= uid <= self.high and uid % modulus == residue
            ]
        if not records:
            return records
        top = min(self.high, records[0])
        bottom = max(self.low, records[-1])
        if modulus == 1:
            first = top - (top - records[0]) % -records.step
            return range(first, bottom - 1, records.step)
        if records.step != -1:
            return self.of([uid for uid in records if bottom <= uid <= top], size, most)
        first = top - (top - residue) % modulus
        return range(first, bottom - 1, -modulus)

    def count(self, size: int, most: int | None = None) -> int:
        """Return the number of selected UIDs of a database with the UIDs 1 to `size`."""
        return len(self.of(range(size, 0, -1), size, most))

    def among(self, uids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask of the UIDs that a filter of links keeps."""
        modulus, residue = self._one_in(0, None)
        inside = (uids >= self.low) & (uids <= min(self.high, 2**63 - 1))
        chosen: NDArray[np.bool_] = inside & (uids % modulus == residue)
        return chosen if self.uids is None else chosen & np.isin(uids, list(self.uids))

    def _one_in(self, size: int, most: int | None) -> tuple[int, int]:
        """Return N and the remainder of the selected UIDs."""
        if self.key is None:
            return 1, 0
        modulus = _ONE_IN[self.key % len(_ONE_IN)]
        if most is not None:
            modulus = max(modulus, -(-size // most))
        return modulus, (self.key >> 8) % modulus


@dataclass(frozen=True, slots=True)
class Combined:
    """Two selections joined by an operator."""

    operator: Operator
    left: Chosen
    right: Chosen

    def of(self, records: Sequence[int], size: int = 0, most: int | None = None) -> Sequence[int]:
        """Return the selected UIDs, descending; arguments as for `Selection.of`."""
        left = as_array(self.left.of(records, size, most))
        if self._thins:
            kept: list[int] = left[self.among(left)].tolist()
            return kept
        right = as_array(self.right.of(records, size, most))
        match self.operator:
            case "AND":
                found = np.intersect1d(left, right)
            case "OR":
                found = np.union1d(left, right)
            case "NOT":
                found = np.setdiff1d(left, right)
        listed: list[int] = found[::-1].tolist()
        return listed

    def count(self, size: int, most: int | None = None) -> int:
        """Return the number of selected UIDs of a database with the UIDs 1 to `size`."""
        return len(self.of(range(size, 0, -1), size, most))

    def among(self, uids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return a mask of the UIDs that a filter of links keeps."""
        left = self.left.among(uids)
        if self._thins and isinstance(self.right, Selection) and self.right.key is not None:
            one_in = _THINNED[self.right.key % len(_THINNED)]
            drawn: NDArray[np.bool_] = (uids // 5_003 + (self.right.key >> 8)) % one_in == 0
            return left & drawn & replace(self.right, key=None).among(uids)
        right = self.right.among(uids)
        return (
            left | right
            if self.operator == "OR"
            else left & (right if self.operator == "AND" else ~right)
        )

    @property
    def _thins(self) -> bool:
        """Return whether words keep a share of a query with OR or NOT.

        Words select residue classes, whose intersection would mostly be empty.
        """
        words = isinstance(self.right, Selection) and self.right.key is not None
        return self.operator == "AND" and isinstance(self.left, Combined) and words


Chosen: TypeAlias = Selection | Combined


def as_array(uids: Sequence[int]) -> NDArray[np.int64]:
    """Return UIDs as an array, in their order."""
    if isinstance(uids, range):
        return np.arange(uids.start, uids.stop, uids.step, dtype=np.int64)
    return np.array(uids, np.int64)


def selection(request: UtilityRequest, sets: Mapping[str, Sequence[int]] | None = None) -> Chosen:
    """Return what `term` and the date parameters of a request select.

    `5:9[UID]` is a range of UIDs, `2001:2003[pdat]` one of dates, `all[filter]` selects
    everything, `none` nothing; other texts select one record in N. Sets (`#1`) joined by AND are
    left to `references`.

    Args:
        request: the request.
        sets: query_key → UIDs of sets joined by OR or NOT.
    """
    query = parse(request, canonical(request.get("db") or "pubmed"))
    first, last = request_dates(request)
    if only_and(query):
        chosen = selection_of(clauses(query))
        return replace(chosen, low=max(chosen.low, first), high=min(chosen.high, last))
    assert query is not None  # which has but one clause
    chosen_by_all = _chosen(query, sets or {})
    within = Selection(first, last)
    return chosen_by_all if within == Selection() else Combined("AND", chosen_by_all, within)


def _chosen(query: Query, sets: Mapping[str, Sequence[int]]) -> Chosen:
    if only_and(query):
        parts = list(clauses(query))
        chosen = selection_of(parts)
        for clause in parts:
            if clause.reference:
                held = frozenset(sets.get(clause.reference, ()))
                chosen = replace(chosen, uids=held if chosen.uids is None else chosen.uids & held)
        return chosen
    assert isinstance(query, Operation)
    return Combined(query.operator, _chosen(query.left, sets), _chosen(query.right, sets))


def selection_of(parts: Iterable[Clause]) -> Selection:
    """Return what some clauses, joined by AND, select."""
    low, high, words = 1, _LAST, []
    uids: frozenset[int] | None = None
    for clause in parts:
        if clause.listed is not None:
            listed = frozenset(clause.listed.uids)
            uids = listed if uids is None else uids & listed
        elif clause.bounds is not None:
            low, high = max(low, clause.bounds[0]), min(high, clause.bounds[1])
        elif clause.word:
            words.append(clause.word)
    return Selection(low, high, key_of("term", *words) if words else None, uids)
