"""Biopython: `Entrez.elink` with a list of ids, as its docstring advises, and `Entrez.read`."""

from __future__ import annotations

import os
from importlib.metadata import version as installed
from typing import Any
from urllib.request import Request, urlopen

from Bio import Entrez

from benchmarks.conformance.outcome import DB, DBFROM, LINKNAME, Outcome

NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"


def version() -> str:
    return installed("biopython")


def ask(base_url: str, uids: list[str]) -> Outcome:
    def elsewhere(request: Request) -> Any:
        request.full_url = request.full_url.replace(NCBI, base_url)
        return urlopen(request)

    entrez: Any = Entrez  # typed in part
    entrez.urlopen = elsewhere  # the address is written into each of its functions
    entrez.email = "conformance@example.org"
    entrez.api_key = os.environ["NCBI_API_KEY"]
    with entrez.elink(dbfrom=DBFROM, db=DB, linkname=LINKNAME, id=uids) as stream:
        record = entrez.read(stream)
    outcome = Outcome()
    for linkset in record:
        parts = [db for db in linkset["LinkSetDb"] if db["LinkName"] == LINKNAME]
        links = [str(link["Id"]) for db in parts for link in db["Link"]]
        outcome.groups.append(([str(linkset["IdList"][0])], links))
        for holder in (linkset, *linkset["LinkSetDb"]):
            outcome.shown = outcome.shown or str(holder.get("ERROR") or "")
    return outcome
