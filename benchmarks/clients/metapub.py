"""metapub: `PubMedFetcher.related_pmids`, which takes one PMID at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metapub import PubMedFetcher
from metapub.ncbi_client import NCBIClient

from benchmarks.clients import DBFROM, Groups

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTION = "metapub"


def harvest(base_url: str, db: str, uids: list[str]) -> Iterator[Groups]:
    if db != DBFROM:
        raise NotImplementedError("related_pmids links to articles alone")
    NCBIClient.BASE_URL = base_url.rstrip("/")
    fetcher = PubMedFetcher()
    for uid in uids:
        yield [([uid], fetcher.related_pmids(uid).get(db, []))]
