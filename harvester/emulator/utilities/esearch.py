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

    from harvester.emulator.request import Asked
    from harvester.emulator.utilities.world import World

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


def esearch(asked: Asked, world: World) -> Answer:
    """Count and a page of UIDs; with usehistory=y the whole result goes onto the History server."""
    named = asked.get("db") or "pubmed"
    db = canonical(named)
    if not world.knows(db):
        return error_200("esearch", BAD_DB.format(named), json=asked.json)
    try:
        found = _found(asked, world, db)
    except LookupError as error:
        return error_200("esearch", str(error), json=asked.json)
    start, most, warnings = asked.integer("retstart", 0), asked.integer("retmax", 20), []
    if db == "pubmed":
        if start >= PUBMED_MOST:
            # The line break makes the JSON form of this invalid: quoted by several clients, 2025.
            return error_200("esearch", PAST_THE_CAP, json=asked.json)
        if start + most > PUBMED_MOST:
            warnings.append(CLAMPED.format(start))
            most = PUBMED_MOST - start
    page = found[start : start + min(most, OTHER_MOST)]
    texts = [str(uid) for uid in page]
    if asked.get("idtype") == "acc" and db in SEQUENCES:
        texts = [accession(db, uid) for uid in page]
    kept = ("", "")
    if asked.get("usehistory") == "y":
        kept = world.history.post(db, found, asked.get("WebEnv"))
    if asked.get("rettype") == "count":
        texts = []
    write = _json if asked.json else _xml
    return write(asked, len(found), start, texts, kept, warnings)


def _found(asked: Asked, world: World, db: str) -> Sequence[int]:
    records = world.graph.records(db)
    keys = references(asked)
    for place, key in enumerate(keys):
        posted = world.history.fetch(asked.get("WebEnv"), key)
        if posted is None:
            raise LookupError(NO_QUERY.format(key))
        if not place and isinstance(posted[1], range):
            records = posted[1]
        else:
            kept = posted[1] if not place else set(records) & set(posted[1])
            records = sorted(kept, reverse=True)
    if not keys and not asked.get("term").strip():
        raise LookupError(NO_TERM)
    return selection(asked).of(records)


def _translation(asked: Asked) -> str:
    """The query as understood: a set asked for beside it comes first (recorded in 2017)."""
    term = asked.get("term")
    if not asked.get("query_key"):
        return term
    return f"(#{asked.get('query_key')})" + (f" AND ({term})" if term else "")


def _json(
    asked: Asked,
    count: int,
    start: int,
    ids: list[str],
    kept: tuple[str, str],
    warnings: list[str],
) -> Answer:
    result: dict[str, Any] = {"count": str(count)}
    if asked.get("rettype") != "count":
        result |= {"retmax": str(len(ids)), "retstart": str(start)}
        if kept[0]:
            result |= {"querykey": kept[1], "webenv": kept[0]}
        term = asked.get("term")
        result |= {"idlist": ids, "translationset": []}
        result["querytranslation"] = _translation(asked)
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
    asked: Asked,
    count: int,
    start: int,
    ids: list[str],
    kept: tuple[str, str],
    warnings: list[str],
) -> Answer:
    said = [f"<Count>{count}</Count>"]
    if asked.get("rettype") != "count":
        said.append(f"<RetMax>{len(ids)}</RetMax><RetStart>{start}</RetStart>")
        if kept[0]:
            said.append(f"<QueryKey>{kept[1]}</QueryKey><WebEnv>{kept[0]}</WebEnv>")
        listed = "".join(f"<Id>{uid}</Id>\n" for uid in ids)
        said.append(f"<IdList>\n{listed}</IdList>" if ids else "<IdList/>")
        term = escape(asked.get("term"))
        understood = escape(_translation(asked))
        said.append(f"<TranslationSet/><QueryTranslation>{understood}</QueryTranslation>")
        if not count:
            said.append(f"<ErrorList><PhraseNotFound>{term}</PhraseNotFound></ErrorList>")
            warnings = ["No items found.", *warnings]
        if warnings:
            messages = "".join(f"<OutputMessage>{text}</OutputMessage>" for text in warnings)
            said.append(f"<WarningList>{messages}</WarningList>")
    body = f"{prolog('esearch')}<eSearchResult>{''.join(said)}</eSearchResult>\n"
    return Answer(body.encode())


def egquery(asked: Asked, world: World) -> Answer:
    """Counts in every database, as before NCBI retired the service in 2024. XML only."""
    term, chosen = escape(asked.get("term")), selection(asked)
    counts = {db: len(chosen.of(world.graph.records(canonical(db)))) for db in DATABASES}
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


def espell(asked: Asked, world: World) -> Answer:  # noqa: ARG001 - all utilities are called alike
    """A correction: letters that stand three times or more in a row are one too many. XML only."""
    term = asked.get("term")
    corrected = "".join(
        letter for place, letter in enumerate(term) if term[place - 2 : place] != letter * 2
    )
    better = escape(corrected) if corrected != term else ""
    body = (
        f"{prolog('espell')}<eSpellResult>\n\t<Database>{asked.get('db', 'pubmed')}</Database>\n"
        f"\t<Query>{escape(term)}</Query>\n\t<CorrectedQuery>{better}</CorrectedQuery>\n"
        f"\t<SpelledQuery><Original></Original><Replaced>{better}</Replaced></SpelledQuery>\n"
        "\t<ERROR/>\n</eSpellResult>\n"
    )
    return Answer(body.encode())
