"""Fast reader of the usual XML answers of cmd=neighbor and neighbor_score.

As in `fast_json`, links stay bytes until the digits of all of them are parsed together. It reads
only what looks exactly as NCBI writes it, apart from white space; entities, ERRORs, comments and
anything else unusual are left to `neighbor_xml`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from harvester.eutils.elink.linksets import LinkSets
from harvester.eutils.elink.readers.fast_numbers import DIGITS, all_but, filled, numbers_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ENVELOPE = re.compile(
    rb'(?:<\?xml version="1\.0"(?: encoding="UTF-8")? *\?>\s*)?'
    rb'(?:<!DOCTYPE eLinkResult PUBLIC "[\w/. -]*" "[\w/.:-]*">\s*)?<eLinkResult>\s*'
    rb"(?:<LinkSet>(?P<linksets>.*)</LinkSet>\s*)?</eLinkResult>\s*",
    re.DOTALL,
)
_BETWEEN_LINKSETS = re.compile(rb"</LinkSet>\s*<LinkSet>")
_START = re.compile(
    rb"\s*<DbFrom>\w+</DbFrom>\s*<IdList>\s*((?:<Id>\d+</Id>\s*)*)</IdList>\s*(?:<LinkSetDb>|\Z)"
)
_BETWEEN_DBS = re.compile(rb"</LinkSetDb>\s*<LinkSetDb>")
_DB = re.compile(rb"\s*<DbTo>(\w+)</DbTo>\s*<LinkName>(\w+)</LinkName>\s*(?=<Link>)")
_END = re.compile(rb"\s*</LinkSetDb>\s*\Z")

_TAGS_TO_BLANKS = bytes.maketrans(b"<", b" ")
_NEITHER = all_but(DIGITS + b"<")

_FIRST, _TAIL = 120, 40
"""Bytes within which the first link ends, and within which the last LinkSetDb ends."""

_LINKS = re.compile(
    rb"(?:[ \t\r\n]*+<Link>[ \t\r\n]*+<Id>\d++</Id>[ \t\r\n]*+</Link>)*+[ \t\r\n]*+"
)
_SCORED = re.compile(
    rb"(?:[ \t\r\n]*+<Link>[ \t\r\n]*+<Id>\d++</Id>[ \t\r\n]*+<Score>\d++</Score>"
    rb"[ \t\r\n]*+</Link>)*+[ \t\r\n]*+"
)
"""Links without and with scores. Possessive quantifiers: no backtracking."""


def read(body: bytes) -> LinkSets | None:
    """Return the LinkSets of an answer; None if anything in it is unusual."""
    envelope = _ENVELOPE.fullmatch(body) if body.isascii() else None
    if envelope is None:
        return None
    found = LinkSets()
    regions: list[bytes] = []
    linksets = envelope["linksets"]
    for linkset in _BETWEEN_LINKSETS.split(linksets) if linksets is not None else ():
        start = _START.match(linkset)
        if start is None:
            return None
        found.ids.append(re.findall(r"\d+", start[1].decode()))
        found.errors.append(None)
        rest = linkset[start.end() :]
        if not rest:
            continue
        end = _END.search(rest, max(0, len(rest) - _TAIL))
        if end is None:
            return None
        for one in _BETWEEN_DBS.split(rest[: end.start()]):
            db = _DB.match(one)
            if db is None:
                return None
            found.owner.append(len(found.ids) - 1)
            found.dbto.append(db[1].decode())
            found.linkname.append(db[2].decode())
            regions.append(one[db.end() :])
    scored = [b"<Score>" in region[:_FIRST] for region in regions]
    return filled(found, regions, scored, _numbers)


def _numbers(
    lists: Sequence[bytes], *, scored: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return links per list and all numbers; None if links differ in more than digits and space."""
    text, counts = b"".join(lists), np.array([one.count(b"<Link>") for one in lists], np.int64)
    if (_SCORED if scored else _LINKS).fullmatch(text) is None:
        return None
    total = int(counts.sum()) * (2 if scored else 1)
    numbers = numbers_in(text.translate(_TAGS_TO_BLANKS, _NEITHER), " ", total)
    return None if numbers is None else (counts, numbers)
