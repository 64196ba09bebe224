"""The links of two sweeps as one table, each link once, and how far the sweeps agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.store.passes.estimate import Agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.model.uids import UidArray


def unite(
    first: pa.Table, again: pa.Table, both: UidArray
) -> tuple[pa.Table, dict[str, Agreement]]:
    """The union of two readings of the same UIDs.

    Of a link in both, the row from the longer list stays: a list that lost its leading links
    gives all others a wrong rank.

    Args:
        first: rows of `links`, sorted in no way.
        again: the same, of a later sweep.
        both: UIDs answered whole in both readings, ascending.

    Returns:
        Rows by from_uid, linkname and rank; and for each linkname how far the lists of `both`
        agree.
    """
    table = pa.concat_tables([first, again]).unify_dictionaries()
    later = np.arange(len(table)) >= len(first)
    from_uid, to_uid = table["from_uid"].to_numpy(), table["to_uid"].to_numpy()
    family, names = _families(table)
    of_list = _numbered(family, from_uid)
    lists = int(of_list.max(initial=-1)) + 1
    longer = np.bincount(of_list[later], minlength=lists) > np.bincount(
        of_list[~later], minlength=lists
    )
    order = np.lexsort((later != longer[of_list], to_uid, of_list))
    starts = np.flatnonzero(_begins(order, of_list, to_uid))
    kept = order[starts]
    compared = np.isin(from_uid[kept], both)
    agreement = _agreement(
        np.logical_or.reduceat(~later[order], starts)[compared] if len(starts) else later,
        np.logical_or.reduceat(later[order], starts)[compared] if len(starts) else later,
        of_list[kept][compared],
        family[kept][compared],
        names,
    )
    rank = table["rank"].to_numpy()[kept]
    return table.take(pa.array(kept[np.lexsort((rank, of_list[kept]))])), agreement


def _numbered(*keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same number for rows with the same keys; the last key sorts first."""
    order = np.lexsort(keys)
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(_begins(order, *keys)) - 1
    return numbers


def _begins(order: NDArray[np.int64], *keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of rows in order, whether each differs from the one before."""
    begins = np.ones(len(order), bool)
    begins[1:] = False
    for key in keys:
        begins[1:] |= key[order][1:] != key[order][:-1]
    return begins


def _families(table: pa.Table) -> tuple[NDArray[np.int64], dict[int, str]]:
    """A number for the dbto and linkname of each row, and the linkname of each number."""
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
    of_list: NDArray[np.int64],
    family: NDArray[np.int64],
    names: dict[int, str],
) -> dict[str, Agreement]:
    """Count the links (each once here) that both readings have, or one alone."""
    found: dict[str, Agreement] = {}
    for code, name in names.items():
        here = family == code
        first, again = in_first[here], in_again[here]
        squares = sum(
            int((np.bincount(of_list[here][alone]) ** 2).sum())
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
