"""Merge the links of two passes into one table, each link once, and measure their agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.store.passes.estimate import Agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.model.uids import UidArray


def merge_tables(
    first: pa.Table, again: pa.Table, both: UidArray
) -> tuple[pa.Table, dict[str, Agreement]]:
    """Return the union of two readings of the same UIDs.

    A list is what one UID has under one linkname. If both readings have a link, the row of the
    longer list is kept: a list that lost its first links gives wrong ranks to all others.

    Args:
        first: rows of `links`, in any order.
        again: rows of `links` of a later pass, in any order.
        both: UIDs answered whole in both readings, ascending.

    Returns:
        The rows, sorted by from_uid, linkname and rank; and linkname → how far the lists of the
        UIDs in `both` agree.
    """
    table = pa.concat_tables([first, again]).unify_dictionaries()
    from_again = np.arange(len(table)) >= len(first)
    from_uid, to_uid = table["from_uid"].to_numpy(), table["to_uid"].to_numpy()
    family, names = _families(table)
    list_of = _numbered(family, from_uid)
    count = int(list_of.max(initial=-1)) + 1
    in_first = np.bincount(list_of[~from_again], minlength=count)
    in_again = np.bincount(list_of[from_again], minlength=count)
    again_is_longer = in_again > in_first
    # Rows of one link stand together, the row of the longer list first.
    order = np.lexsort((from_again != again_is_longer[list_of], to_uid, list_of))
    starts = np.flatnonzero(_begins(order, list_of, to_uid))
    kept = order[starts]
    compared = np.isin(from_uid[kept], both)
    agreement = _agreement(
        _any_from(starts, ~from_again[order])[compared],
        _any_from(starts, from_again[order])[compared],
        list_of[kept][compared],
        family[kept][compared],
        names,
    )
    rank = table["rank"].to_numpy()[kept]
    return table.take(pa.array(kept[np.lexsort((rank, list_of[kept]))])), agreement


def _any_from(starts: NDArray[np.int64], flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return, for each run of rows that begins at one of `starts`, whether any flag is set."""
    return np.logical_or.reduceat(flags, starts) if len(starts) else flags[:0]


def _numbered(*keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a number for each row, equal for rows with equal keys; the last key sorts first."""
    order = np.lexsort(keys)
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(_begins(order, *keys)) - 1
    return numbers


def _begins(order: NDArray[np.int64], *keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return, for each row in `order`, whether it differs from the row before."""
    begins = np.ones(len(order), bool)
    begins[1:] = False
    for key in keys:
        begins[1:] |= key[order][1:] != key[order][:-1]
    return begins


def _families(table: pa.Table) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Return a number for the dbto and linkname of each row, and the linkname of each number."""
    table = table.combine_chunks()
    if not len(table):
        return np.empty(0, np.int64), {}
    dbto, linkname = (table[name].chunk(0) for name in ("dbto", "linkname"))
    width = len(dbto.dictionary)
    family = linkname.indices.to_numpy().astype(np.int64) * width + dbto.indices.to_numpy()
    words = linkname.dictionary.to_pylist()
    return family, {int(code): words[code // width] for code in np.unique(family)}


def _agreement(
    in_first: NDArray[np.bool_],
    in_again: NDArray[np.bool_],
    list_of: NDArray[np.int64],
    family: NDArray[np.int64],
    names: dict[int, str],
) -> dict[str, Agreement]:
    """Count distinct links that both readings have, or only one of them."""
    found: dict[str, Agreement] = {}
    for code, name in names.items():
        here = family == code
        first, again = in_first[here], in_again[here]
        squares = sum(
            int((np.bincount(list_of[here][alone]) ** 2).sum())
            for alone in (first & ~again, again & ~first)
        )
        counted = Agreement(
            both=int(np.count_nonzero(first & again)),
            first_only=int(np.count_nonzero(first & ~again)),
            again_only=int(np.count_nonzero(again & ~first)),
            squares=squares,
        )
        found[name] = found.get(name, Agreement()) + counted
    return found
