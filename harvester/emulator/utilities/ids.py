"""Ids of a request: numbers, and accessions of the sequence databases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harvester.emulator.databases import SEQUENCES
from harvester.emulator.graph.mixing import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_UID = 2**64 - 1
"""`Maximum ID value 18446744073709551615`, says EPost (recorded in 2025)."""

_ACCESSION = re.compile(r"([A-Z]{1,6}_?)(\d+)(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Group:
    """The ids of one `id` parameter: one LinkSet.

    Attributes:
        uids: each once, in the order given.
        accessions: how those that were given as accessions are written, with their version.
    """

    uids: tuple[int, ...]
    accessions: dict[int, str] = field(default_factory=dict)

    def texts(self, db: str, *, accessions: bool) -> list[str]:
        """The ids as an answer writes them: numbers unless accessions are asked for."""
        if not (accessions and db in SEQUENCES):
            return [str(uid) for uid in self.uids]
        return [self.accessions.get(uid) or accession(db, uid) for uid in self.uids]


def group(db: str, texts: Iterable[str]) -> Group:
    """The ids among some words; words that are none are left out."""
    accessions: dict[int, str] = {}
    uids: dict[int, None] = {}
    for text in texts:
        word = text.strip()
        if word.isascii() and word.isdigit():
            if int(word) <= MAX_UID:
                uids[int(word)] = None
        elif db in SEQUENCES and (match := _ACCESSION.fullmatch(word)):
            uid = _uid(db, match)
            accessions[uid] = word if match[3] else f"{word}.1"
            uids[uid] = None
    return Group(tuple(uids), accessions)


def accession(db: str, uid: int) -> str:
    """The accession.version of a record of a sequence database."""
    return f"{SEQUENCES[db]}{uid:09d}.1"


def _uid(db: str, match: re.Match[str]) -> int:
    """The number (GI) of an accession; ours carry theirs, the GI of others is made up."""
    prefix, digits = match[1], match[2]
    if prefix == SEQUENCES[db] and len(digits) >= 9:
        return int(digits)
    return key_of(prefix, int(digits)) % (2**31 - 1) + 1
