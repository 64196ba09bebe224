"""metapub: `PubMedFetcher.related_pmids`, which takes one PMID at a time."""

from __future__ import annotations

from importlib.metadata import version as installed

from metapub import PubMedFetcher
from metapub.ncbi_client import NCBIClient

from benchmarks.conformance.outcome import LINKNAME, Outcome

HEADING = LINKNAME.rpartition("_")[2]


def version() -> str:
    return installed("metapub")


def ask(base_url: str, uids: list[str]) -> Outcome:
    NCBIClient.BASE_URL = base_url.rstrip("/")
    fetcher = PubMedFetcher()
    return Outcome([([uid], fetcher.related_pmids(uid).get(HEADING, [])) for uid in uids])
