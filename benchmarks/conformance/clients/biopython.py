"""Biopython: `Entrez.elink` with a list of ids, as its docstring advises, and `Entrez.read`."""

from __future__ import annotations

from importlib.metadata import version as installed

from benchmarks.clients.biopython import entrez_at
from benchmarks.conformance.outcome import DB, DBFROM, LINKNAME, Outcome


def version() -> str:
    return installed("biopython")


def ask(base_url: str, uids: list[str]) -> Outcome:
    entrez = entrez_at(base_url)
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
