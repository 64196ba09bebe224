"""The order of the UIDs that ESearch returns: parameter `sort` (NBK25499)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harvester.emulator.records.content import FIRST_YEAR, YEARS
from harvester.emulator.utilities.selections import as_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Uids = NDArray[np.int64]


def _texts(uids: Uids) -> NDArray[Any]:
    return uids.astype(np.str_)


_KEYS: Mapping[str, Callable[[Uids], NDArray[Any]]] = {
    "relevance": lambda uids: uids * 2_654_435_761 % 2**32,
    "pub_date": lambda uids: -(FIRST_YEAR + uids % YEARS),
    "author": lambda uids: _texts(uids % 1000),
    "title": _texts,
    "name": _texts,
}
"""Name of an order → keys of generated records, ascending. Other names keep the newest first."""

_OTHER_NAMES = {
    "pub date": "pub_date",
    "pub+date": "pub_date",
    "publication date": "pub_date",
    "first author": "author",
    "last author": "author",
}


def in_order(uids: Sequence[int], sort: str) -> Sequence[int]:
    """Return UIDs, newest first, in the order that a search asks for.

    Args:
        uids: UIDs, descending.
        sort: the parameter; an unknown one is ignored.
    """
    name = sort.strip().lower()
    key = _KEYS.get(_OTHER_NAMES.get(name, name))
    if key is None:
        return uids
    found = as_array(uids)
    ordered: list[int] = found[np.argsort(key(found), kind="stable")].tolist()
    return ordered
