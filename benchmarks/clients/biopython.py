"""Biopython: `Entrez.elink` with a list of ids, as its docstring advises, and `Entrez.read`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from Bio import Entrez

from benchmarks.clients import DBFROM, EMAIL, Groups, batches

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTION = "biopython"
NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"


def entrez_at(base_url: str) -> Any:
    """Return `Bio.Entrez` with another base URL, which each of its functions hard-codes."""

    def elsewhere(request: Request) -> Any:
        request.full_url = request.full_url.replace(NCBI, base_url)
        return urlopen(request)

    entrez: Any = Entrez  # typed in part
    entrez.urlopen = elsewhere
    entrez.email = EMAIL
    entrez.api_key = os.environ["NCBI_API_KEY"]
    return entrez


def harvest(base_url: str, db: str, uids: list[str]) -> Iterator[Groups]:
    entrez = entrez_at(base_url)
    for batch in batches(uids):
        question = {"dbfrom": DBFROM, "db": db, "linkname": f"{DBFROM}_{db}", "id": batch}
        with entrez.elink(**question) as stream:
            record = entrez.read(stream)
        yield [(_ids(linkset), _links(linkset)) for linkset in record]


def _ids(linkset: Any) -> list[str]:
    return [str(uid) for uid in linkset["IdList"]]


def _links(linkset: Any) -> list[str]:
    return [str(link["Id"]) for part in linkset["LinkSetDb"] for link in part["Link"]]
