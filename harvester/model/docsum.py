"""Fields of a DocSum of ESummary, as text for one cell of a table.

The members of a DocSum differ between databases. A few names mean the same in all of them:
`title`, `symbol`, `organism`, and the other identifiers of an article (`pmid`, `pmcid`, `doi`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SEPARATOR = ";"
"""Separator of the values of a list."""

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "description", "scientificname", "name", "caption"),
    "symbol": ("symbol", "nomenclaturesymbol", "name", "gene_sort"),
    "organism": ("organism.scientificname", "organism", "scientificname"),
}
"""Name → members that hold it, the best first: a gene has its symbol in `name`, its title in
`description` (ESummary 2.0 of db=gene)."""

_ARTICLE_IDS: Mapping[str, tuple[str, ...]] = {
    "pmid": ("pubmed", "pmid"),
    "pmcid": ("pmc", "pmcid"),
    "doi": ("doi",),
}
"""Name → `idtype` in `articleids` of db=pubmed and db=pmc."""

_NAMES = ("name", "scientificname", "value", "accession")
"""Members that represent an object in a list, such as an author."""

COMMON = ("title", "symbol", "organism", *_ARTICLE_IDS)
"""Names that are understood in every database."""


def field_text(record: Mapping[str, Any], name: str) -> str | None:
    """Return a field of a DocSum as text.

    Args:
        record: the DocSum.
        name: a name of `COMMON`, or a member; `a.b` is the member `b` of the member `a`.

    Returns:
        The text, the values of a list joined by `;`; None if there is none.

    Example:
        >>> field_text({"name": "TP53", "authors": [{"name": "A B"}, {"name": "C D"}]}, "symbol")
        'TP53'
        >>> field_text({"authors": [{"name": "A B"}, {"name": "C D"}]}, "authors")
        'A B;C D'
    """
    lowered = name.lower()
    if lowered in _ARTICLE_IDS:
        for one in record.get("articleids") or ():
            if isinstance(one, dict) and one.get("idtype") in _ARTICLE_IDS[lowered]:
                return _text(one.get("value"))
    for path in _ALIASES.get(lowered, (name,)):
        if (text := _text(_member(record, path))) is not None:
            return text
    return None


def _member(record: Any, path: str) -> Any:
    value = record
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        keys = (key for key in value if key.lower() == name.lower())
        value = value.get(name if name in value else next(keys, name))
    return value


def _text(value: Any) -> str | None:
    if value is None or value == "" or value == [] or value == {}:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        texts = [text for text in map(_text, value) if text is not None]
        return SEPARATOR.join(texts) or None
    if isinstance(value, dict):
        for name in _NAMES:
            if name in value:
                return _text(value[name])
    return json.dumps(value, ensure_ascii=False)
