"""The query as ESearch understood it: QueryTranslation, TranslationStack, what was not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.emulator.utilities.query import clauses
from harvester.emulator.utilities.selections import selection_of

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest


@dataclass(frozen=True, slots=True)
class Translation:
    """Translation of a query.

    Attributes:
        query: QueryTranslation.
        stack: TranslationStack: terms with their counts, and operators. PubMed has none (recorded
            in 2025), and no query without hits has one (recorded in 2023).
        phrases: phrases that were not found.
        fields: fields that do not exist; their phrases are searched in all fields.
    """

    query: str
    stack: list[dict[str, str] | str]
    phrases: list[str]
    fields: list[str]


def translate(
    request: UtilityRequest, db: str, count: int, size: int, most: int | None
) -> Translation:
    """Return the translation of a query.

    Args:
        request: the search.
        db: canonical database.
        count: number of hits.
        size: number of records of the database.
        most: hits of words at most; None is no limit.
    """
    found = clauses(request.get("term"), db)
    query = " AND ".join(clause.translation for clause in found)
    key = request.get("query_key")
    if key:
        # A set requested beside the term comes first (recorded in 2017).
        query = f"(#{key})" + (f" AND ({query})" if query else "")
    elif not count and db != "pubmed":
        query = f"({query})"
    stack: list[dict[str, str] | str] = []
    if count and db != "pubmed":
        terms = [clause for clause in found if not clause.reference]
        for place, clause in enumerate(terms):
            hits = -1 if clause.field.lower() == "uid" else selection_of([clause]).count(size, most)
            stack.append(
                {
                    "term": clause.translation,
                    "field": _full_name(clause.field if not clause.unknown_field else ""),
                    "count": str(hits),
                    "explode": "N",
                }
            )
            stack += ["AND"] if place else []
        stack = ["GROUP", *stack, "GROUP", "AND"] if key else [*stack, "GROUP"]
    return Translation(
        query=query,
        stack=stack,
        phrases=[] if count else [request.get("term")],
        fields=[clause.unknown_field for clause in found if clause.unknown_field],
    )


def _full_name(field: str) -> str:
    """Return the full name of a field as the stack writes it."""
    if not field:
        return "All Fields"
    return field.upper() if len(field) <= 4 else field
