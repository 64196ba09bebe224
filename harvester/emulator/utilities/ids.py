"""Ids of a request: numbers, and accessions of the sequence databases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harvester.emulator.databases import ACCESSION, SEQUENCES
from harvester.emulator.graph.mixing import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_UID = 2**64 - 1
"""EPost: `Maximum ID value 18446744073709551615` (recorded in 2025)."""

_NUMBERED = re.compile(r"([A-Z]{1,6}_?)(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Group:
    """The ids of one `id` parameter: one LinkSet.

    Attributes:
        uids: each once, in the order given.
        accessions: accession.version of those that were given as accessions.
        invalid: words that are neither numbers nor accessions.
    """

    uids: tuple[int, ...]
    accessions: dict[int, str] = field(default_factory=dict)
    invalid: tuple[str, ...] = ()

    def texts(self, db: str, *, accessions: bool) -> list[str]:
        """Return the ids as an answer writes them: numbers unless accessions are requested."""
        if not (accessions and db in SEQUENCES):
            return [str(uid) for uid in self.uids]
        return [self.accessions.get(uid) or accession(db, uid) for uid in self.uids]


def group(db: str, texts: Iterable[str]) -> Group:
    """Return the ids among some words."""
    accessions: dict[int, str] = {}
    uids: dict[int, None] = {}
    invalid = []
    for text in texts:
        word = text.strip()
        if word.isascii() and word.isdigit():
            if int(word) <= MAX_UID:
                uids[int(word)] = None
        elif db in SEQUENCES and ACCESSION.fullmatch(word):
            uid = _uid(db, word.partition(".")[0])
            # Chains of PDB have no version.
            accessions[uid] = word if "." in word or word[0].isdigit() else f"{word}.1"
            uids[uid] = None
        elif word:
            invalid.append(word)
    return Group(tuple(uids), accessions, tuple(invalid))


def accession(db: str, uid: int) -> str:
    """Return the generated accession.version of a record of a sequence database."""
    return f"{SEQUENCES[db]}{uid:09d}.1"


def _uid(db: str, text: str) -> int:
    """Return the number (GI) of an accession: its own if it is generated, else a hash."""
    match = _NUMBERED.fullmatch(text)
    if match is None:
        key = key_of(text)
    elif match[1] == SEQUENCES[db] and len(match[2]) >= 9:
        return int(match[2])
    else:
        key = key_of(match[1], int(match[2]))
    return key % (2**31 - 1) + 1
