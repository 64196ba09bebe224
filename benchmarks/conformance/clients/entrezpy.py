"""entrezpy: `Elinker.inquire` with a list of ids."""

from __future__ import annotations

from importlib.metadata import version as installed

import entrezpy.base.query
import entrezpy.elink.elinker

from benchmarks.conformance.outcome import DB, DBFROM, LINKNAME, Outcome


def version() -> str:
    return installed("entrezpy")


def ask(base_url: str, uids: list[str]) -> Outcome:
    entrezpy.base.query.EutilsQuery.base_url = base_url.rstrip("/")
    elinker = entrezpy.elink.elinker.Elinker("conformance", "conformance@example.org")
    question = {"dbfrom": DBFROM, "db": DB, "linkname": LINKNAME, "id": uids}
    analyzer = elinker.inquire(question)
    if analyzer is None:
        return Outcome(failure="returns None")
    groups = [
        ([str(linkset.uid)], [str(unit.uid) for unit in linkset.linkunits])
        for linkset in analyzer.get_result().linksets
    ]
    return Outcome(groups, failure="error flag" if analyzer.hasErrorResponse else "")
