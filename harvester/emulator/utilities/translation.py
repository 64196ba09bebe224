"""ESearch's interpretation of a query: QueryTranslation, TranslationStack, parts not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.emulator.utilities.query import Clause, Operation, clauses, parse
from harvester.emulator.utilities.selections import selection_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.query import Operator, Query


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
    parsed = parse(request, db)
    found = list(clauses(parsed))
    query = _written(parsed) if parsed else ""
    key = request.get("query_key")
    if key:
        # A set requested beside the term comes first (recorded in 2017).
        query = f"(#{key})" + (f" AND ({query})" if query else "")
    elif not count and db != "pubmed":
        query = f"({query})"
    stack: list[dict[str, str] | str] = []
    if count and db != "pubmed":
        stack = list(_stack(parsed, size, most)) if parsed else []
        stack = ["GROUP", *stack, "GROUP", "AND"] if key else [*stack, "GROUP"]
    return Translation(
        query=query,
        stack=stack,
        phrases=[] if count else [request.get("term")],
        fields=[clause.unknown_field for clause in found if clause.unknown_field],
    )


def _written(query: Query, within: Operator | None = None) -> str:
    """Return a query with the fields of its clauses; `within`: the operator around it."""
    if isinstance(query, Clause):
        return query.translation
    left, right = (_written(one, query.operator) for one in (query.left, query.right))
    text = f"{left} {query.operator} {right}"
    return text if within in (None, query.operator) else f"({text})"


def _stack(query: Query, size: int, most: int | None) -> Iterator[dict[str, str] | str]:
    """Yield the clauses of a query that are no sets, each operator after its operands."""
    if isinstance(query, Operation):
        left, right = (list(_stack(one, size, most)) for one in (query.left, query.right))
        yield from left
        yield from right
        if left and right:
            yield query.operator
    elif not query.reference:
        is_uid = query.field.lower() == "uid"
        yield {
            "term": query.translation,
            "field": _full_name(query.field if not query.unknown_field else ""),
            "count": str(-1 if is_uid else selection_of([query]).count(size, most)),
            "explode": "N",
        }


def _full_name(field: str) -> str:
    """Return the full name of a field as the stack writes it."""
    if not field:
        return "All Fields"
    return field.upper() if len(field) <= 4 else field
