"""Parse the `term` of a search: clauses joined by AND, OR and NOT, each with an optional field.

Operators are in capitals and apply from left to right; parentheses group (NBK3837).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from harvester.emulator.databases import ACCESSION, SEQUENCES
from harvester.emulator.utilities.dates import uids_of_days
from harvester.emulator.utilities.fields import is_known
from harvester.emulator.utilities.ids import Group, group

if TYPE_CHECKING:
    from collections.abc import Iterator

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

_PIECE = re.compile(r'"[^"]*"?|\[[^\]]*\]?|[()]|\s+|[^\s()"\[]+')

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


Operator: TypeAlias = Literal["AND", "OR", "NOT"]


@dataclass(frozen=True, slots=True)
class Operation:
    """Two queries joined by an operator."""

    operator: Operator
    left: Query
    right: Query


Query: TypeAlias = Clause | Operation


def parse(request: UtilityRequest, db: str) -> Query | None:
    """Return the query of a request in a (canonical) database; None if `term` is empty.

    `field` holds for clauses without a field of their own (NBK25499).
    """
    term, field = request.get("term"), request.get("field")
    parts = re.split(r"\s+AND\s+", term.strip().strip("()"))
    found = [_clause(bare, db, field) for part in parts if (bare := part.strip("() "))]
    if any(clause.word and _OTHER & {*_tokens(clause.text)} for clause in found):
        return _Parser(term, db, field).parse()
    query: Query | None = None
    for clause in found:
        query = clause if query is None else Operation("AND", query, clause)
    return query


def clauses(query: Query | None) -> Iterator[Clause]:
    """Yield the clauses of a query, as they are written."""
    match query:
        case Clause():
            yield query
        case Operation():
            yield from clauses(query.left)
            yield from clauses(query.right)


def only_and(query: Query | None) -> bool:
    """Return whether no clauses are joined by OR or NOT."""
    if not isinstance(query, Operation):
        return True
    return query.operator == "AND" and only_and(query.left) and only_and(query.right)


_OTHER = {"OR", "NOT"}


def _tokens(term: str) -> Iterator[str]:
    """Yield parentheses, operators and clauses; phrases and fields are parts of a clause."""
    clause = ""
    for piece in [*_PIECE.findall(term), ")"]:
        if piece in {"(", ")", "AND", "OR", "NOT"}:
            if clause.strip():
                yield clause.strip()
            clause = ""
            yield piece
        else:
            clause += piece


class _Parser:
    """Parser of a query with OR or NOT; clauses that follow each other are joined by AND."""

    def __init__(self, term: str, db: str, field: str) -> None:
        self._tokens = list(_tokens(term))
        self._db, self._field = db, field

    def parse(self) -> Query | None:
        """Return the query up to a closing parenthesis or the end."""
        query: Query | None = None
        operator: Operator = "AND"
        while self._tokens and (token := self._tokens.pop(0)) != ")":
            match token:
                case "AND" | "OR" | "NOT":
                    operator = token
                    continue
                case "(":
                    part = self.parse()
                case _:
                    part = _clause(token, self._db, self._field)
            if part is not None:
                query = part if query is None else Operation(operator, query, part)
            operator = "AND"
        return query


def references(request: UtilityRequest) -> list[str]:
    """Return the query_keys of the sets that a search is restricted to.

    They are given by parameter, or as clauses `#1` of `term` (NBK25497). Sets that are joined by
    OR or NOT restrict nothing.
    """
    query = parse(request, "pubmed")
    found = [clause.reference for clause in clauses(query)] if only_and(query) else []
    return [key for key in (request.get("query_key"), *found) if key]


def _clause(text: str, db: str, default_field: str = "") -> Clause:
    clause = _read_clause(text, db)
    if not default_field or clause.field or not clause.word:
        return clause
    return _read_clause(f"{text}[{default_field}]", db)


def _read_clause(text: str, db: str) -> Clause:
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
