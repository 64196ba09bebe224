"""ESummary and EFetch: small records, made up from their UIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import orjson

from harvester.emulator.answers.answer import JSON_TYPE, TEXT_TYPE, Answer
from harvester.emulator.answers.errors import BAD_DB, NO_IDS, NO_QUERY, error_200
from harvester.emulator.answers.prologs import prolog
from harvester.emulator.databases import SEQUENCES, canonical
from harvester.emulator.utilities.backend import UtilityError
from harvester.emulator.utilities.ecitmatch import place_of
from harvester.emulator.utilities.einfo import BUILD
from harvester.emulator.utilities.ids import accession, group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend

MOST = 10_000
"""Records an answer has at most (NBK25499, retmax)."""

BAD_SUMMARY = "cannot get document summary"


def esummary(request: UtilityRequest, backend: Backend) -> Answer:
    """One summary a UID, in XML a DocSum or (version 2.0) a DocumentSummary; 0 has none."""
    newer = request.get("version").startswith("2")
    try:
        db, uids = _wanted(request, backend)
        error = f"Invalid uid {request.get('id')} at position= 0"
        if not uids and newer and not request.json:
            return Answer(_summary_set(db, f"\t<ERROR>{escape(error)}</ERROR>\n", ""))
        if not uids and request.json:
            header = {"type": "esummary", "version": "0.3"}
            whole = {"header": header, "error": error, "result": {"uids": []}}
            return Answer(orjson.dumps(whole) + b"\n", JSON_TYPE)
    except UtilityError as refusal:
        return error_200("esummary", str(refusal), json=request.json)
    if request.json:
        header = {"type": "esummary", "version": "0.3"}
        result: dict[str, Any] = {"uids": [str(uid) for uid in uids]}
        result |= {str(uid): _summary(db, uid) for uid in uids}
        return Answer(orjson.dumps({"header": header, "result": result}) + b"\n", JSON_TYPE)
    if newer:
        docs = "".join(_document_summary(db, uid) for uid in uids)
        return Answer(_summary_set(db, "", f"<DbBuild>{BUILD}</DbBuild>\n\n{docs}"))
    docs = "".join(_docsum(db, uid) for uid in uids)
    body = f"{prolog('esummary')}<eSummaryResult>\n{docs}</eSummaryResult>\n"
    return Answer(body.encode())


def efetch(request: UtilityRequest, backend: Backend) -> Answer:
    """The list of UIDs (rettype=uilist), accessions (acc) or a line of text for each record."""
    try:
        db, uids = _wanted(request, backend)
    except UtilityError as refusal:
        answer = error_200("efetch", str(refusal), json=False)
        return Answer(answer.body, answer.content_type, 400)
    xml_records = db == "pubmed" and request.get("retmode") == "xml"
    rettype = request.get("rettype") or ("" if xml_records else "uilist")
    if rettype == "uilist" and request.get("retmode") == "xml":
        ids = "".join(f"<Id>{uid}</Id>\n" for uid in uids)
        start = '<?xml version="1.0" encoding="UTF-8" ?>\n'
        return Answer(f"{start}<IdList>\n{ids}</IdList>\n".encode())
    if rettype == "uilist":
        lines = [str(uid) for uid in uids]
    elif rettype == "acc" and db in SEQUENCES:
        lines = [accession(db, uid) for uid in uids]
    elif rettype == "medline" and db == "pubmed":
        lines = [f"\nPMID- {uid}\nTI  - {_title(db, uid)}\nSO  - Example J." for uid in uids]
    elif rettype == "fasta" and db in SEQUENCES:
        lines = [f">{accession(db, uid)} {_title(db, uid)}\nACGTACGT\n" for uid in uids]
    elif request.get("retmode") == "xml" and db == "pubmed":
        return Answer(_articles(uids))
    else:
        lines = [f"{uid}: {_title(db, uid)}" for uid in uids]
    return Answer("".join(f"{line}\n" for line in lines).encode(), TEXT_TYPE)


def _articles(uids: Sequence[int]) -> bytes:
    """Records of PubMed as XML, with no more than names them."""
    articles = "".join(
        '<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM">'
        f'<PMID Version="1">{uid}</PMID><Article><ArticleTitle>{_title("pubmed", uid)}'
        "</ArticleTitle></Article></MedlineCitation></PubmedArticle>\n"
        for uid in uids
    )
    # As recorded: this utility's DTD is of another place, and new every year.
    start = (
        '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC '
        '"-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
        '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
    )
    return f"{start}<PubmedArticleSet>\n{articles}</PubmedArticleSet>\n".encode()


def _wanted(request: UtilityRequest, backend: Backend) -> tuple[str, Sequence[int]]:
    """Database and UIDs, from the History server (a page of them) or from `id`."""
    named = request.get("db") or "pubmed"
    db, query_key = canonical(named), request.get("query_key")
    if not backend.knows(db):
        raise UtilityError(BAD_DB.format(named))
    if request.get("WebEnv") and query_key:
        posted = backend.history.fetch(request.get("WebEnv"), query_key)
        if posted is None:
            raise UtilityError(NO_QUERY.format(query_key))
        start, most = request.integer("retstart", 0), min(request.integer("retmax", MOST), MOST)
        return db, posted[1][start : start + most]
    if not request.listed("id"):
        raise UtilityError(NO_IDS)
    return db, group(db, request.listed("id")).uids


def _title(db: str, uid: int) -> str:
    return f"Record {uid} of {db}."


def _summary(db: str, uid: int) -> dict[str, Any]:
    if not uid:
        return {"uid": "0", "error": BAD_SUMMARY}
    volume, first_page = place_of(uid)
    year = 1960 + uid % 66
    return {
        "uid": str(uid),
        "pubdate": str(year),
        "source": "Example J",
        "title": _title(db, uid),
        "volume": volume,
        "pages": first_page,
        "authors": [{"name": f"Author{uid % 1000} A", "authtype": "Author", "clusterid": ""}],
    } | ({"accessionversion": accession(db, uid)} if db in SEQUENCES else {})


def _docsum(db: str, uid: int) -> str:
    if not uid:
        return f"<ERROR>UID={uid}: {BAD_SUMMARY}</ERROR>\n"
    items = _summary(db, uid)
    return (
        f"<DocSum>\n\t<Id>{uid}</Id>\n"
        f'\t<Item Name="PubDate" Type="Date">{items["pubdate"]}</Item>\n'
        f'\t<Item Name="Source" Type="String">{items["source"]}</Item>\n'
        f'\t<Item Name="Title" Type="String">{items["title"]}</Item>\n</DocSum>\n'
    )


def _summary_set(db: str, error: str, docs: str) -> bytes:
    """XML of version 2.0, whose DTD is another for each database (recorded in 2023 and 2024)."""
    name = f"esummary {db} 20150202"
    dtd = f"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20150202/esummary_{db}.dtd"
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        f'<!DOCTYPE eSummaryResult PUBLIC "-//NLM//DTD {name}//EN" "{dtd}">\n'
        f'<eSummaryResult>\n{error}<DocumentSummarySet status="OK">\n{docs}'
        "</DocumentSummarySet>\n</eSummaryResult>\n"
    ).encode()


def _document_summary(db: str, uid: int) -> str:
    items = _summary(db, uid)
    if "error" in items:
        return (
            f'<DocumentSummary uid="{uid}">\n<error>{items["error"]}</error>\n</DocumentSummary>\n'
        )
    authors = "".join(
        f"\t\t<Author>\n\t\t\t<Name>{one['name']}</Name>\n"
        f"\t\t\t<AuthType>{one['authtype']}</AuthType>\n\t\t</Author>\n"
        for one in items["authors"]
    )
    return (
        f'<DocumentSummary uid="{uid}">\n\t<PubDate>{items["pubdate"]}</PubDate>\n'
        f"\t<Source>{items['source']}</Source>\n\t<Authors>\n{authors}\t</Authors>\n"
        f"\t<Title>{items['title']}</Title>\n</DocumentSummary>\n\n"
    )
