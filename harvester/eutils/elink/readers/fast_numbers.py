"""Parsing of all numbers of a text together, without a Python object per number."""

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
"""Larger numbers may have been parsed in part."""


def all_but(kept: bytes) -> bytes:
    """Return all other bytes, for `bytes.translate` to delete."""
    return bytes(set(range(256)) - set(kept))


def numbers_in(text: bytes, separator: str, count: int) -> NDArray[np.int64] | None:
    """Return `count` numbers; None if there are more or fewer, or one is too large.

    Args:
        text: digits and separators.
        separator: separator of the numbers: one character, or any blanks.
        count: numbers expected.
    """
    if not count or text.isspace():  # numpy makes a number of blanks alone
        return np.empty(0, np.int64) if not count else None
    try:
        numbers = np.fromstring(text, np.int64, sep=separator)
    except (ValueError, DeprecationWarning):  # numpy: a number is missing
        return None
    return numbers if len(numbers) == count and numbers.max() < _LARGEST else None


class Parse(Protocol):
    """Function from lists of links in one form to their numbers; None if anything is unusual."""

    def __call__(
        self, lists: Sequence[bytes], *, scored: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Return links per list, and all UIDs; with `scored`, each UID and its score."""


def filled(
    found: LinkSets, lists: Sequence[bytes], scored: Sequence[bool], parse: Parse
) -> LinkSets | None:
    """Return LinkSets with the links of all their lists; None if anything is unusual.

    Args:
        found: LinkSets without `counts`, `to_uid` and `score`.
        lists: lists of links as bytes.
        scored: whether the links of each list have scores.
        parse: parser of their form.
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
