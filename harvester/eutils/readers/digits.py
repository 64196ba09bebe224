"""All numbers of a text parsed together: no Python object for any of them."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harvester.eutils.readers.columns import LinkSets

DIGITS = b"0123456789"
_OTHERS = bytes(set(range(256)) - set(DIGITS))

_LARGEST = 10**17
"""Numbers above it may not have been parsed whole."""


def numbers_in(text: bytes, separators: bytes, count: int) -> NDArray[np.int64] | None:
    """So many numbers, or None where there are more or fewer, or one is too large.

    Args:
        text: digits, and anything between.
        separators: characters of which at least one stands between any two numbers.
        count: numbers expected.
    """
    blanks = bytes.maketrans(separators, b" " * len(separators))
    digits = text.translate(blanks, _OTHERS.translate(None, separators))
    if not count or digits.isspace():  # of blanks alone numpy makes a number
        return np.empty(0, np.int64) if not count else None
    try:
        numbers = np.fromstring(digits, np.int64, sep=" ")
    except DeprecationWarning:  # so numpy says that a number is missing, where warnings are errors
        return None
    return numbers if len(numbers) == count and numbers.max() < _LARGEST else None


class Parse(Protocol):
    """All numbers of some lists of links in a form, or None where something in them is unusual."""

    def __call__(
        self, lists: Sequence[bytes], counts: NDArray[np.int64], *, scored: bool
    ) -> NDArray[np.int64] | None:
        """UIDs, or where scored each UID and its score."""


def filled(
    found: LinkSets, lists: Sequence[bytes], scored: Sequence[bool], parse: Parse
) -> LinkSets | None:
    """LinkSets with the links of all their lists; None where something is unusual.

    Args:
        found: all but `to_uid` and `score`.
        lists: as they came.
        scored: whether the links of each have scores.
        parse: of the form they came in.
    """
    counts = np.array(found.counts, np.int64)
    columns = _columns(lists, counts, np.array(scored, bool), parse)
    if columns is None:
        return None
    found.to_uid, found.score = columns
    return found


def _columns(
    lists: Sequence[bytes], counts: NDArray[np.int64], scored: NDArray[np.bool_], parse: Parse
) -> tuple[pa.Array, pa.Array | None] | None:
    """to_uid and score of all links, in their order; None where something is unusual.

    Args:
        lists: as they came.
        counts: links of each.
        scored: whether its links have scores.
        parse: of the form they came in.
    """
    if not scored.any():
        numbers = parse(lists, counts, scored=False)
        return None if numbers is None else (pa.array(numbers), None)
    plain = parse(list(compress(lists, ~scored)), counts[~scored], scored=False)
    pairs = parse(list(compress(lists, scored)), counts[scored], scored=True)
    if plain is None or pairs is None:
        return None
    has_score = np.repeat(scored, counts)
    to_uid, score = np.zeros((2, len(has_score)), np.int64)
    to_uid[~has_score], to_uid[has_score] = plain, pairs[::2]
    score[has_score] = pairs[1::2]
    return pa.array(to_uid), pa.array(score, mask=None if has_score.all() else ~has_score)
