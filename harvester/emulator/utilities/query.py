"""Parse the `term` of a search: clauses joined by AND, each with an optional field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.emulator.databases import ACCESSION, SEQUENCES
from harvester.emulator.utilities.dates import uids_of_days
from harvester.emulator.utilities.fields import is_known
from harvester.emulator.utilities.ids import Group, group

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest

_RANGE = re.compile(r"\s*(\d+)\s*(?::\s*(\d+)\s*)?\[uid\]\s*", re.IGNORECASE)
_DATES = re.compile(
    r"\s*([\d/]{4,10})\s*(?::\s*([\d/]{4,10})\s*)?\[(?:pdat|dp|edat|crdt|mdat)\]\s*", re.IGNORECASE
)
_ALL = re.compile(
    r"\s*all\s*(?:\[(?:filter|sb|all)\])?(?:\s+NOT\s+pubmed\s+books\s*\[sb\])?\s*", re.IGNORECASE
)
"""EDirect requests all records except the books, of which there are none here."""

_NONE = re.compile(r"\s*(?:none|abcXYZ)(?:\[[\w ]+\])?\s*", re.IGNORECASE)

_LISTED = re.compile(r"([\w.,\s]+?)\s*\[(uid|accn|accession|caccn|pacc)\]", re.IGNORECASE)
"""A list of ids, such as `7157,672[UID]` or `NM_000546.6[ACCN]`."""

_REFERENCE = re.compile(r"\s*#(\d+)\s*")

_FIELD = re.compile(r"(.*?)\s*\[([^\[\]]+)\]\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a query.

    Attributes:
        text: the clause as written, without brackets around it.
        field: name of its field as written; empty is all fields.
        reference: query_key of a set on the History server (`#1`), or empty.
        bounds: range of UIDs that it selects, or None.
        listed: ids that it lists, or None.
        word: the text that selects one record in N, or empty.
    """

    text: str
    field: str = ""
    reference: str = ""
    bounds: tuple[int, int] | None = None
    listed: Group | None = None
    word: str = ""

    @property
    def unknown_field(self) -> str:
        """Name of a field that does not exist, or empty."""
        return self.field if self.field and not is_known(self.field) else ""

    @property
    def translation(self) -> str:
        """The clause as ESearch understood it; an unknown field becomes all fields."""
        if self.reference or (self.field and not self.unknown_field):
            return self.text
        found = _FIELD.fullmatch(self.text)
        return f"{found[1] if found else self.text}[All Fields]"


def clauses(term: str, db: str = "pubmed") -> list[Clause]:
    """Return the clauses of a query in a (canonical) database."""
    parts = re.split(r"\s+AND\s+", term.strip().strip("()"))
    return [_clause(bare, db) for part in parts if (bare := part.strip("() "))]


def references(request: UtilityRequest) -> list[str]:
    """Return the query_keys of the sets that a search is restricted to.

    They are given by parameter, or as clauses `#1` of `term` (NBK25497).
    """
    found = [clause.reference for clause in clauses(request.get("term"))]
    return [key for key in (request.get("query_key"), *found) if key]


def _clause(text: str, db: str) -> Clause:
    found = _FIELD.fullmatch(text)
    field = found[2].strip() if found else ""
    if match := _REFERENCE.fullmatch(text):
        return Clause(text, reference=match[1])
    if match := _RANGE.fullmatch(text):
        return Clause(text, field, bounds=(int(match[1]), int(match[2] or match[1])))
    if (listed := _listed_ids(text, db)) is not None:
        return Clause(text, field, listed=listed)
    if match := _DATES.fullmatch(text):
        return Clause(text, field, bounds=uids_of_days(match[1], match[2] or match[1]))
    if _NONE.fullmatch(text):
        return Clause(text, field, bounds=(1, 0))
    if _ALL.fullmatch(text):
        return Clause(text, field)
    if found and not is_known(field):
        return Clause(text, field, word=found[1].lower())
    return Clause(text, field, word=text.lower())


def _listed_ids(text: str, db: str) -> Group | None:
    """Return listed ids joined by OR, or a bare accession; None if the text is another clause."""
    # Three digits or _ distinguish an accession from a word such as TP53.
    is_accession = "_" in text or sum(map(str.isdigit, text)) >= 3
    if db in SEQUENCES and is_accession and ACCESSION.fullmatch(text):
        return group(db, [text])
    parts = re.split(r"\s+OR\s+", text)
    matches = [_LISTED.fullmatch(part.strip("() ")) for part in parts]
    if not all(matches):
        return None
    found = group(db, [word for match in matches if match for word in match[1].split(",")])
    return None if found.invalid else found
