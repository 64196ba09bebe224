"""easy-entrez: `EntrezAPI.link` in batches, the form that tries again, read from its `data`."""

from __future__ import annotations

import os
from importlib.metadata import version as installed

from easy_entrez import EntrezAPI

from benchmarks.conformance.outcome import DB, DBFROM, LINKNAME, Outcome


def version() -> str:
    return installed("easy-entrez")


def ask(base_url: str, uids: list[str]) -> Outcome:
    key = os.environ["NCBI_API_KEY"]
    api = EntrezAPI("conformance", "conformance@example.org", api_key=key, server=base_url)
    answers = api.in_batches_of(100).link(uids, database=DB, database_from=DBFROM)
    outcome = Outcome()
    for data in [answer.data for answer in answers.values()]:
        outcome.shown = outcome.shown or data.get("ERROR", "")
        for linkset in data["linksets"]:
            parts = linkset.get("linksetdbs", [])
            links = [to for part in parts if part["linkname"] == LINKNAME for to in part["links"]]
            outcome.groups.append((linkset["ids"], links))
            for holder in (linkset, *parts):
                outcome.shown = outcome.shown or holder.get("ERROR", "")
    return outcome
