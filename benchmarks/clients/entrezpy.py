"""entrezpy: `Elinker.inquire` with a list of ids."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import entrezpy.base.query
import entrezpy.elink.elink_analyzer
import entrezpy.elink.elinker

from benchmarks.clients import DBFROM, EMAIL, Groups, batches

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTION = "entrezpy"


def harvest(base_url: str, db: str, uids: list[str]) -> Iterator[Groups]:
    entrezpy.base.query.EutilsQuery.base_url = base_url.rstrip("/")
    key = os.environ["NCBI_API_KEY"]
    for batch in batches(uids):
        # One Elinker sends only one request.
        elinker = entrezpy.elink.elinker.Elinker("benchmarks", EMAIL, apikey=key)
        question = {"dbfrom": DBFROM, "db": db, "linkname": f"{DBFROM}_{db}", "id": batch}
        # Its default is shared by all calls, and would return the earlier links again.
        analyzer = entrezpy.elink.elink_analyzer.ElinkAnalyzer()
        if elinker.inquire(question, analyzer=analyzer) is None:
            raise RuntimeError("inquire returns None")
        yield [
            ([str(linkset.uid)], [str(unit.uid) for unit in linkset.linkunits])
            for linkset in analyzer.get_result().linksets
        ]
