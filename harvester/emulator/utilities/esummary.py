"""ESummary: summaries of records, in JSON and in two versions of XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import orjson

from harvester.emulator.answers.answer import JSON_TYPE, Answer
from harvester.emulator.answers.errors import INVALID_UID, TOO_MANY_UIDS, error_200
from harvester.emulator.answers.prologs import prolog
from harvester.emulator.databases import SEQUENCES
from harvester.emulator.records.content import JOURNAL, Record, place_of, taxon
from harvester.emulator.utilities.backend import UtilityError
from harvester.emulator.utilities.einfo import BUILD
from harvester.emulator.utilities.requested import requested

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend
    from harvester.emulator.utilities.requested import Requested

JSON_MOST = 500
"""UIDs of a request for JSON at most (live on 2026-09-11 and 2026-10-02)."""

BAD_SUMMARY = "cannot get document summary"

_HEADER = {"type": "esummary", "version": "0.3"}


def esummary(request: UtilityRequest, backend: Backend) -> Answer:
    """Return one summary per UID: in XML a DocSum or (version 2.0) a DocumentSummary."""
    newer = request.get("version").startswith("2")
    try:
        wanted = requested(request, backend)
    except UtilityError as error:
        return error_200("esummary", str(error), json=request.json)
    if request.json:
        return _json(wanted, backend)
    if wanted.invalid and not wanted.uids:
        text = INVALID_UID.format(wanted.invalid[0])
        if newer:
            return Answer(_summary_set(wanted.db, f"\t<ERROR>{escape(text)}</ERROR>\n", ""))
        return error_200("esummary", text, json=False)
    found = {record.uid: record for record in wanted.existing(backend)}
    if newer:
        docs = "".join(_document_summary(uid, found.get(uid)) for uid in wanted.uids)
        return Answer(_summary_set(wanted.db, "", f"<DbBuild>{BUILD}</DbBuild>\n\n{docs}"))
    docs = "".join(_docsum(uid, found.get(uid)) for uid in wanted.uids)
    body = f"{prolog('esummary')}<eSummaryResult>\n{docs}</eSummaryResult>\n"
    return Answer(body.encode())


def _json(wanted: Requested, backend: Backend) -> Answer:
    answer: dict[str, Any] = {"header": _HEADER}
    if len(wanted.uids) > JSON_MOST:
        return Answer(orjson.dumps(answer | {"error": TOO_MANY_UIDS}) + b"\n", JSON_TYPE)
    result: dict[str, Any] = {"uids": [str(uid) for uid in wanted.uids]}
    if wanted.invalid and not wanted.uids:
        answer["error"] = INVALID_UID.format(wanted.invalid[0])
    found = {record.uid: record for record in wanted.existing(backend)}
    for uid in wanted.uids:
        record = found.get(uid)
        missing = {"uid": str(uid), "error": BAD_SUMMARY}
        result[str(uid)] = missing if record is None else _summary(record)
    return Answer(orjson.dumps(answer | {"result": result}) + b"\n", JSON_TYPE)


def _summary(record: Record) -> dict[str, Any]:
    """Return the members of a summary: those of an article, and those of its database."""
    volume, first_page = place_of(record.uid)
    article = {
        "uid": str(record.uid),
        "pubdate": str(record.year),
        "source": JOURNAL,
        "title": record.title,
        "volume": volume,
        "pages": first_page,
        "authors": [{"name": f"{record.author} A", "authtype": "Author", "clusterid": ""}],
    }
    return article | _of_database(record)


def _of_database(record: Record) -> dict[str, Any]:
    """Return the members that NCBI's summaries of some databases have (recorded 2012 to 2023)."""
    species = record.species
    if record.db == "gene":
        return {
            "name": record.symbol,
            "description": record.title,
            "chromosome": record.chromosome,
            "organism": {
                "scientificname": species.name,
                "commonname": species.common,
                "taxid": species.taxid,
            },
        }
    if record.db == "taxonomy":
        named = taxon(record.uid)
        return {"rank": "species", "scientificname": named.name, "commonname": named.common}
    if record.db in SEQUENCES:
        return {
            "caption": record.accession.partition(".")[0],
            "gi": record.uid,
            "taxid": species.taxid,
            "slen": len(record.sequence),
            "organism": species.name,
            "accessionversion": record.accession,
        }
    return {}


def _docsum(uid: int, record: Record | None) -> str:
    if record is None:
        return f"<ERROR>UID={uid}: {BAD_SUMMARY}</ERROR>\n"
    return (
        f"<DocSum>\n\t<Id>{uid}</Id>\n"
        f'\t<Item Name="PubDate" Type="Date">{record.year}</Item>\n'
        f'\t<Item Name="Source" Type="String">{JOURNAL}</Item>\n'
        f'\t<Item Name="Title" Type="String">{record.title}</Item>\n</DocSum>\n'
    )


def _summary_set(db: str, error: str, docs: str) -> bytes:
    """Return XML of version 2.0; each database has its own DTD (recorded in 2023 and 2024)."""
    name = f"esummary {db} 20150202"
    dtd = f"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20150202/esummary_{db}.dtd"
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        f'<!DOCTYPE eSummaryResult PUBLIC "-//NLM//DTD {name}//EN" "{dtd}">\n'
        f'<eSummaryResult>\n{error}<DocumentSummarySet status="OK">\n{docs}'
        "</DocumentSummarySet>\n</eSummaryResult>\n"
    ).encode()


def _document_summary(uid: int, record: Record | None) -> str:
    if record is None:
        return f'<DocumentSummary uid="{uid}">\n<error>{BAD_SUMMARY}</error>\n</DocumentSummary>\n'
    return (
        f'<DocumentSummary uid="{uid}">\n\t<PubDate>{record.year}</PubDate>\n'
        f"\t<Source>{JOURNAL}</Source>\n\t<Authors>\n\t\t<Author>\n"
        f"\t\t\t<Name>{record.author} A</Name>\n\t\t\t<AuthType>Author</AuthType>\n"
        f"\t\t</Author>\n\t</Authors>\n\t<Title>{record.title}</Title>\n</DocumentSummary>\n\n"
    )
