"""ESearch, with EGQuery and ESpell, which need no more than its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import orjson

from harvester.emulator.answers.answer import JSON_TYPE, Answer
from harvester.emulator.answers.errors import BAD_DB, NO_QUERY, error_200
from harvester.emulator.answers.prologs import prolog
from harvester.emulator.databases import DATABASES, SEQUENCES, canonical
from harvester.emulator.utilities.ids import accession
from harvester.emulator.utilities.selections import references, selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend

PUBMED_MOST = 9999
"""ESearch gives only so many records of PubMed, from 0 to 9,998."""

OTHER_MOST = 100_000
NO_TERM = "Empty term and query_key - nothing todo"
PAST_THE_CAP = (
    "Search Backend failed: Exception:\n'retstart' cannot be larger than 9998. For PubMed, ESearch "
    "can only retrieve the first 9,999 records matching the query. To obtain more than 9,999 "
    "PubMed records, consider using EDirect that contains additional logic to batch PubMed search "
    "results automatically so that an arbitrary number can be retrieved. For details see "
    "https://www.ncbi.nlm.nih.gov/books/NBK25499/"
)
NOTHING_THERE = "Term or Database is not found"  # EGQuery's status beside 0, recorded in 2008
CLAMPED = "Restrictions achieved. start and count adjusted to {}, 9999"


def esearch(request: UtilityRequest, backend: Backend) -> Answer:
    """Count and a page of UIDs; with usehistory=y the whole result goes onto the History server."""
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
        texts = [accession(db, uid) for uid in page]
    kept = ("", "")
    if request.get("usehistory") == "y":
        kept = backend.history.post(db, found, request.get("WebEnv"))
    if request.get("rettype") == "count":
        texts = []
    write = _json if request.json else _xml
    return write(request, len(found), start, texts, kept, warnings)


def _found(request: UtilityRequest, backend: Backend, db: str) -> Sequence[int]:
    records = backend.graph.records(db)
    keys = references(request)
    for place, key in enumerate(keys):
        posted = backend.history.fetch(request.get("WebEnv"), key)
        if posted is None:
            raise LookupError(NO_QUERY.format(key))
        if not place and isinstance(posted[1], range):
            records = posted[1]
        else:
            kept = posted[1] if not place else set(records) & set(posted[1])
            records = sorted(kept, reverse=True)
    if not keys and not request.get("term").strip():
        raise LookupError(NO_TERM)
    return selection(request).of(records)


def _translation(request: UtilityRequest) -> str:
    """The query as understood: a set request for beside it comes first (recorded in 2017)."""
    term = request.get("term")
    if not request.get("query_key"):
        return term
    return f"(#{request.get('query_key')})" + (f" AND ({term})" if term else "")


def _json(
    request: UtilityRequest,
    count: int,
    start: int,
    ids: list[str],
    kept: tuple[str, str],
    warnings: list[str],
) -> Answer:
    result: dict[str, Any] = {"count": str(count)}
    if request.get("rettype") != "count":
        result |= {"retmax": str(len(ids)), "retstart": str(start)}
        if kept[0]:
            result |= {"querykey": kept[1], "webenv": kept[0]}
        term = request.get("term")
        result |= {"idlist": ids, "translationset": []}
        result["querytranslation"] = _translation(request)
        if not count:
            result["errorlist"] = {"phrasesnotfound": [term], "fieldsnotfound": []}
            warnings = ["No items found.", *warnings]
        if warnings:
            result["warninglist"] = {
                "phrasesignored": [],
                "quotedphrasesnotfound": [],
                "outputmessages": warnings,
            }
    header = {"type": "esearch", "version": "0.3"}
    return Answer(orjson.dumps({"header": header, "esearchresult": result}) + b"\n", JSON_TYPE)


def _xml(
    request: UtilityRequest,
    count: int,
    start: int,
    ids: list[str],
    kept: tuple[str, str],
    warnings: list[str],
) -> Answer:
    said = [f"<Count>{count}</Count>"]
    if request.get("rettype") != "count":
        said.append(f"<RetMax>{len(ids)}</RetMax><RetStart>{start}</RetStart>")
        if kept[0]:
            said.append(f"<QueryKey>{kept[1]}</QueryKey><WebEnv>{kept[0]}</WebEnv>")
        listed = "".join(f"<Id>{uid}</Id>\n" for uid in ids)
        said.append(f"<IdList>\n{listed}</IdList>" if ids else "<IdList/>")
        term = escape(request.get("term"))
        understood = escape(_translation(request))
        said.append(f"<TranslationSet/><QueryTranslation>{understood}</QueryTranslation>")
        if not count:
            said.append(f"<ErrorList><PhraseNotFound>{term}</PhraseNotFound></ErrorList>")
            warnings = ["No items found.", *warnings]
        if warnings:
            messages = "".join(f"<OutputMessage>{text}</OutputMessage>" for text in warnings)
            said.append(f"<WarningList>{messages}</WarningList>")
    body = f"{prolog('esearch')}<eSearchResult>{''.join(said)}</eSearchResult>\n"
    return Answer(body.encode())


def egquery(request: UtilityRequest, backend: Backend) -> Answer:
    """Counts in every database, as before NCBI retired the service in 2024. XML only."""
    term, chosen = escape(request.get("term")), selection(request)
    counts = {db: len(chosen.of(backend.graph.records(canonical(db)))) for db in DATABASES}
    items = "".join(
        f"<ResultItem><DbName>{db}</DbName><MenuName>{db.title()}</MenuName><Count>{count}</Count>"
        f"<Status>{'Ok' if count else NOTHING_THERE}</Status></ResultItem>"
        for db, count in counts.items()
    )
    body = (
        f"{prolog('egquery')}<Result><Term>{term}</Term>"
        f"<eGQueryResult>{items}</eGQueryResult></Result>\n"
    )
    return Answer(body.encode())


def espell(request: UtilityRequest, backend: Backend) -> Answer:  # noqa: ARG001 - all utilities are called alike
    """A correction: letters that stand three times or more in a row are one too many. XML only."""
    term = request.get("term")
    corrected = "".join(
        letter for place, letter in enumerate(term) if term[place - 2 : place] != letter * 2
    )
    better = escape(corrected) if corrected != term else ""
    body = (
        f"{prolog('espell')}<eSpellResult>\n\t<Database>{request.get('db', 'pubmed')}</Database>\n"
        f"\t<Query>{escape(term)}</Query>\n\t<CorrectedQuery>{better}</CorrectedQuery>\n"
        f"\t<SpelledQuery><Original></Original><Replaced>{better}</Replaced></SpelledQuery>\n"
        "\t<ERROR/>\n</eSpellResult>\n"
    )
    return Answer(body.encode())
