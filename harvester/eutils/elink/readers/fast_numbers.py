"""All numbers of a text parsed together: no Python object for any of them."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harvester.eutils.elink.linksets import LinkSets

DIGITS = b"0123456789"

_LARGEST = 10**17
"""Numbers above it may not have been parsed whole."""


def all_but(kept: bytes) -> bytes:
    """Every other byte, for `bytes.translate` to delete."""
    return bytes(set(range(256)) - set(kept))


def numbers_in(text: bytes, separator: str, count: int) -> NDArray[np.int64] | None:
    """So many numbers, or None where there are more or fewer, or one is too large.

    Args:
        text: digits and separators.
        separator: what stands between any two numbers: a character, once, or any blanks.
        count: numbers expected.
    """
    if not count or text.isspace():  # of blanks alone numpy makes a number
        return np.empty(0, np.int64) if not count else None
    try:
        numbers = np.fromstring(text, np.int64, sep=separator)
    except (ValueError, DeprecationWarning):  # so numpy says that a number is missing
        return None
    return numbers if len(numbers) == count and numbers.max() < _LARGEST else None


class Parse(Protocol):
    """The numbers of some lists of links in a form, or None where something in them is unusual."""

    def __call__(
        self, lists: Sequence[bytes], *, scored: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Links of each list, and all UIDs, or where scored each UID and its score."""


def filled(
    found: LinkSets, lists: Sequence[bytes], scored: Sequence[bool], parse: Parse
) -> LinkSets | None:
    """LinkSets with the links of all their lists; None where something is unusual.

    Args:
        found: all but `counts`, `to_uid` and `score`.
        lists: as they came.
        scored: whether the links of each have scores.
        parse: of the form they came in.
    """
    with_score = np.array(scored, bool)
    plain = parse(list(compress(lists, ~with_score)), scored=False)
    pairs = parse(list(compress(lists, with_score)), scored=True)
    if plain is None or pairs is None:
        return None
    counts = np.zeros(len(lists), np.int64)
    counts[~with_score], counts[with_score] = plain[0], pairs[0]
    found.counts = counts.tolist()
    if not with_score.any():
        found.to_uid = pa.array(plain[1])
        return found
    has_score = np.repeat(with_score, counts)
    to_uid, score = np.zeros((2, len(has_score)), np.int64)
    to_uid[~has_score], to_uid[has_score] = plain[1], pairs[1][::2]
    score[has_score] = pairs[1][1::2]
    found.to_uid = pa.array(to_uid)
    found.score = pa.array(score, mask=None if has_score.all() else ~has_score)
    return found
