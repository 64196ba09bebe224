"""Fast reader of the usual JSON answers of cmd=neighbor and neighbor_score.

Lists of links stay bytes until the digits of all of them are parsed together, at a third of the
cost of a string per link. It reads only answers exactly as NCBI writes them, without an ERROR, and
leaves all others to `neighbor_json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from harvester.eutils.elink.linksets import LinkSets
from harvester.eutils.elink.readers.fast_numbers import DIGITS, all_but, filled, numbers_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LINK, _SCORED = b'""', b'{"id":"","score":}'
"""A link without its digits, in answers without and with scores."""

_NEITHER = all_but(DIGITS + b",")

_NOTHING = msgspec.Raw(b"[]")


class _LinkSetDb(msgspec.Struct, gc=False):
    dbto: str
    linkname: str
    links: msgspec.Raw = _NOTHING
    ERROR: msgspec.Raw = _NOTHING


class _LinkSet(msgspec.Struct, gc=False):
    ids: list[str] = []
    linksetdbs: list[_LinkSetDb] = []
    ERROR: msgspec.Raw = _NOTHING
    ERRORS: msgspec.Raw = _NOTHING


class _Answer(msgspec.Struct, gc=False):
    linksets: list[_LinkSet]
    ERROR: msgspec.Raw = _NOTHING


_decode = msgspec.json.Decoder(_Answer).decode


def read(body: bytes) -> LinkSets | None:
    """Return the LinkSets of an answer; None if anything in it is unusual."""
    if not body.isascii():
        return None
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    if answer.ERROR is not _NOTHING:
        return None
    linksets = answer.linksets
    found = LinkSets(ids=[linkset.ids for linkset in linksets], errors=[None] * len(linksets))
    lists: list[bytes] = []
    for index, linkset in enumerate(linksets):
        if linkset.ERROR is not _NOTHING or linkset.ERRORS is not _NOTHING:
            return None
        for db in linkset.linksetdbs:
            if db.ERROR is not _NOTHING:
                return None
            links = bytes(db.links)
            if links != b"[]":
                found.owner.append(index)
                found.dbto.append(db.dbto)
                found.linkname.append(db.linkname)
                lists.append(links)
    scored = [links.startswith(b"[{") for links in lists]
    return filled(found, lists, scored, _numbers)


def _numbers(
    lists: Sequence[bytes], *, scored: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return links per list and all numbers; None if links differ in more than their digits."""
    if not lists:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    link = _SCORED if scored else _LINK
    text = b",".join(lists)
    shapes = text.translate(None, DIGITS)
    starts = np.flatnonzero(np.frombuffer(shapes, np.uint8) == ord("["))
    counts = (np.diff(starts, append=len(shapes) + 1) - len(b"[]")) // (len(link) + len(b","))
    if len(counts) != len(lists) or counts.min() < 1:
        return None
    alike = {count: b"[" + b",".join([link] * count) + b"]" for count in set(counts.tolist())}
    if shapes != b",".join([alike[count] for count in counts.tolist()]):
        return None
    total = int(counts.sum())
    if scored:
        if text.count(b'{"id":"') + text.count(b'","score":') != 2 * total:
            return None  # digits in other places
        total *= 2
    numbers = numbers_in(text.translate(None, _NEITHER), ",", total)
    return None if numbers is None else (counts, numbers)
