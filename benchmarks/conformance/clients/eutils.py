"""eutils: `QueryService.elink` with ids joined by commas, its XML through ElementTree."""

from __future__ import annotations

import os
from importlib.metadata import version as installed
from xml.etree import ElementTree as ET

from eutils import QueryService
from eutils._internal import queryservice

from benchmarks.conformance.outcome import DB, DBFROM, LINKNAME, Outcome


def version() -> str:
    return installed("eutils")


def ask(base_url: str, uids: list[str]) -> Outcome:
    queryservice.url_base = base_url.rstrip("/")
    service = QueryService(api_key=os.environ["NCBI_API_KEY"])
    question = {"dbfrom": DBFROM, "db": DB, "linkname": LINKNAME, "id": ",".join(uids)}
    root = ET.fromstring(service.elink(question))
    groups = [
        (
            [str(one.text) for one in linkset.findall("IdList/Id")],
            [str(one.text) for one in linkset.findall("LinkSetDb/Link/Id")],
        )
        for linkset in root.findall("LinkSet")
    ]
    return Outcome(groups, shown=next((str(one.text) for one in root.iter("ERROR")), ""))
