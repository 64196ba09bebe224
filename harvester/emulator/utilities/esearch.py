"""ESearch: count and UIDs of a query, with its translation, warnings and errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import orjson

from harvester.emulator.answers.answer import JSON_TYPE, Answer
from harvester.emulator.answers.errors import BAD_DB, NO_QUERY, error_200
from harvester.emulator.answers.prologs import prolog
from harvester.emulator.databases import SEQUENCES, canonical
from harvester.emulator.utilities.query import clauses, only_and, parse, references
from harvester.emulator.utilities.selections import selection
from harvester.emulator.utilities.sorting import in_order
from harvester.emulator.utilities.translation import Translation, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend

PUBMED_MOST = 9999
"""Records that ESearch returns of a PubMed query, from 0 to 9,998."""

OTHER_MOST = 100_000
NO_TERM = "Empty term and query_key - nothing todo"
PAST_THE_CAP = (
    "Search Backend failed: Exception:\n'retstart' cannot be larger than 9998. For PubMed, ESearch "
    "can only retrieve the first 9,999 records matching the query. To obtain more than 9,999 "
    "PubMed records, consider using EDirect that contains additional logic to batch PubMed search "
    "results automatically so that an arbitrary number can be retrieved. For details see "
    "https://www.ncbi.nlm.nih.gov/books/NBK25499/"
)
CLAMPED = "Restrictions achieved. start and count adjusted to {}, 9999"
NOTHING_FOUND = "No items found."


@dataclass(frozen=True, slots=True)
class _Result:
    """Result of a search.

    Attributes:
        count: number of hits.
        start: number of the first hit of the page.
        ids: hits of the page; None with `rettype=count`.
        kept: WebEnv and query_key of the set; empty if none was stored.
        translation: the query as ESearch understood it.
        warnings: output messages.
    """

    count: int
    start: int
    ids: list[str] | None
    kept: tuple[str, str]
    translation: Translation
    warnings: list[str]


def esearch(request: UtilityRequest, backend: Backend) -> Answer:
    """Return the count and a page of UIDs.

    `usehistory` with any value stores the whole result on the History server: NCBI does so even
    for `usehistory=n` (recorded in 2020).
    """
    named = request.get("db") or "pubmed"
    db = canonical(named)
    if not backend.knows(db):
        return error_200("esearch", BAD_DB.format(named), json=request.json)
    try:
        found = _found(request, backend, db)
    except LookupError as error:
        return error_200("esearch", str(error), json=request.json)
    start, most, warnings = request.integer("retstart", 0), request.integer("retmax", 20), []
    if db == "pubmed":
        if start >= PUBMED_MOST:
            # The line break makes the JSON form of this invalid: quoted by several clients, 2025.
            return error_200("esearch", PAST_THE_CAP, json=request.json)
        if start + most > PUBMED_MOST:
            warnings.append(CLAMPED.format(start))
            most = PUBMED_MOST - start
    page = found[start : start + min(most, OTHER_MOST)]
    texts = [str(uid) for uid in page]
    if request.get("idtype") == "acc" and db in SEQUENCES:
        texts = [backend.accession(db, uid) for uid in page]
    kept = ("", "")
    if request.get("usehistory"):
        kept = backend.history.post(db, found, request.get("WebEnv"))
    size = len(backend.graph.records(db))
    result = _Result(
        count=len(found),
        start=start,
        ids=None if request.get("rettype") == "count" else texts,
        kept=kept,
        translation=translate(request, db, len(found), size, backend.max_hits),
        warnings=[*([] if found else [NOTHING_FOUND]), *warnings],
    )
    return _json(result) if request.json else _xml(result)


def _found(request: UtilityRequest, backend: Backend, db: str) -> Sequence[int]:
    records = backend.graph.records(db)
    size, keys = len(records), references(request)
    for place, key in enumerate(keys):
        posted = backend.history.fetch(request.get("WebEnv"), key)
        if posted is None:
            raise LookupError(NO_QUERY.format(key))
        if not place and isinstance(posted[1], range):
            records = posted[1]
        else:
            kept = posted[1] if not place else set(records) & set(posted[1])
            records = sorted(kept, reverse=True)
    query = parse(request, db)
    if not keys and query is None:
        raise LookupError(NO_TERM)
    sets: dict[str, Sequence[int]] = {}
    for part in clauses(query):
        if part.listed is not None:
            backend.remember(db, part.listed)
        if part.reference and not only_and(query):
            joined = backend.history.fetch(request.get("WebEnv"), part.reference)
            if joined is None:
                raise LookupError(NO_QUERY.format(part.reference))
            sets[part.reference] = joined[1]
    found = selection(request, sets).of(records, size, backend.max_hits)
    return in_order(found, request.get("sort"))


def _json(result: _Result) -> Answer:
    members: dict[str, Any] = {"count": str(result.count)}
    if result.ids is not None:
        members |= {"retmax": str(len(result.ids)), "retstart": str(result.start)}
        if result.kept[0]:
            members |= {"querykey": result.kept[1], "webenv": result.kept[0]}
        members |= {"idlist": result.ids, "translationset": []}
        if result.translation.stack:
            members["translationstack"] = result.translation.stack
        members["querytranslation"] = result.translation.query
        if result.translation.phrases or result.translation.fields:
            members["errorlist"] = {
                "phrasesnotfound": result.translation.phrases,
                "fieldsnotfound": result.translation.fields,
            }
        if result.warnings:
            members["warninglist"] = {
                "phrasesignored": [],
                "quotedphrasesnotfound": [],
                "outputmessages": result.warnings,
            }
    header = {"type": "esearch", "version": "0.3"}
    return Answer(orjson.dumps({"header": header, "esearchresult": members}) + b"\n", JSON_TYPE)


def _xml(result: _Result) -> Answer:
    parts = [f"<Count>{result.count}</Count>"]
    if result.ids is not None:
        translation = result.translation
        parts.append(f"<RetMax>{len(result.ids)}</RetMax><RetStart>{result.start}</RetStart>")
        if result.kept[0]:
            parts.append(f"<QueryKey>{result.kept[1]}</QueryKey><WebEnv>{result.kept[0]}</WebEnv>")
        listed = "".join(f"<Id>{uid}</Id>\n" for uid in result.ids)
        parts.append(f"<IdList>\n{listed}</IdList>" if result.ids else "<IdList/>")
        parts.append("<TranslationSet/>" + _stack(translation.stack))
        parts.append(f"<QueryTranslation>{escape(translation.query)}</QueryTranslation>")
        errors = _elements("PhraseNotFound", translation.phrases)
        errors += _elements("FieldNotFound", translation.fields)
        parts.append(f"<ErrorList>{errors}</ErrorList>" if errors else "")
        if result.warnings:
            messages = _elements("OutputMessage", result.warnings)
            parts.append(f"<WarningList>{messages}</WarningList>")
    body = f"{prolog('esearch')}<eSearchResult>{''.join(parts)}</eSearchResult>\n"
    return Answer(body.encode())


def _stack(stack: list[dict[str, str] | str]) -> str:
    """Return the TranslationStack in the layout of recorded answers."""
    if not stack:
        return ""
    parts = []
    for item in stack:
        if isinstance(item, str):
            parts.append(f"   <OP>{item}</OP>")
        else:
            members = "".join(
                f"    <{name.title()}>{escape(value)}</{name.title()}>"
                for name, value in item.items()
            )
            parts.append(f"   <TermSet>{members}   </TermSet>")
    return f"<TranslationStack>{''.join(parts)}  </TranslationStack>"


def _elements(name: str, texts: list[str]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for text in texts)
