"""EGQuery: counts of all databases. NCBI ended the service in April 2024."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from harvester.emulator.answers.answer import HTML_TYPE, Answer
from harvester.emulator.answers.prologs import prolog
from harvester.emulator.databases import DATABASES, canonical
from harvester.emulator.utilities.selections import selection

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend

NOTHING_THERE = "Term or Database is not found"
"""Status of a database without hits (recorded in 2008)."""

DEAD_HOST = "https://ext-http-eutils.linkerd.ncbi.nlm.nih.gov/entrez/eutils/egquery.fcgi"
"""Target of NCBI's redirect, a host name that does not resolve (biopython#4698, rentrez#217)."""


def egquery(request: UtilityRequest, backend: Backend) -> Answer:
    """Return NCBI's redirect to a dead host, or counts in XML if the service is enabled."""
    if not backend.egquery:
        body = b"<html><head><title>301 Moved Permanently</title></head></html>\n"
        return Answer(body, HTML_TYPE, 301, {"Location": DEAD_HOST})
    term, chosen = escape(request.get("term")), selection(request)
    counts = {}
    for db in DATABASES:
        records = backend.graph.records(canonical(db))
        counts[db] = len(chosen.of(records, len(records), backend.max_hits))
    items = "".join(
        f"<ResultItem><DbName>{db}</DbName><MenuName>{db.title()}</MenuName><Count>{count}</Count>"
        f"<Status>{'Ok' if count else NOTHING_THERE}</Status></ResultItem>"
        for db, count in counts.items()
    )
    body_text = (
        f"{prolog('egquery')}<Result><Term>{term}</Term>"
        f"<eGQueryResult>{items}</eGQueryResult></Result>\n"
    )
    return Answer(body_text.encode())
