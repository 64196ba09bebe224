"""Distribution of the links per UID."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harvester.report.facts import Bin, Distribution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_EXACT = 1 << 16
"""Number of links below which each number is counted separately."""

_DECADES = 12
"""Power of 10 above which numbers of links share one bin."""

_EACH = 10
"""Numbers of links up to which each has a bin of its own; then there are ten bins per decade."""


def distribution(counts: Iterable[NDArray[np.int64]]) -> Distribution | None:
    """Return the distribution of some numbers of links; None if there are none.

    Args:
        counts: links per UID, in any number of arrays.
    """
    starts = np.unique(
        [*range(_EACH + 1), *np.round(10 ** (np.arange(10, 10 * _DECADES) / 10)).astype(np.int64)]
    )
    exact = np.zeros(_EXACT, np.int64)
    above = np.zeros(len(starts), np.int64)
    links, most = 0, 0
    for array in counts:
        if len(array):
            links += int(array.sum())
            most = max(most, int(array.max()))
            small = array[array < _EXACT]
            exact += np.bincount(small, minlength=_EXACT)
            if len(small) < len(array):
                large = np.searchsorted(starts, array[array >= _EXACT], "right") - 1
                above += np.bincount(large, minlength=len(starts))
    uids = int(exact.sum() + above.sum())
    if not uids:
        return None
    numbers = np.searchsorted(starts, np.arange(_EXACT), "right") - 1
    in_bins = above + np.bincount(numbers, exact, len(starts)).astype(np.int64)
    ends = np.append(starts[1:] - 1, most)
    return Distribution(
        uids=uids,
        mean=links / uids,
        median=int(np.searchsorted(np.cumsum(exact), (uids + 1) // 2)),
        most=most,
        bins=[
            Bin(int(starts[n]), min(int(ends[n]), most), int(in_bins[n]))
            for n in np.flatnonzero(in_bins)
        ],
    )
