"""eutils: `QueryService.elink` with ids joined by commas, its XML through ElementTree.

Its docstring joins them; NCBI then merges the links of all, and the pairs are lost.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from eutils import QueryService
from eutils._internal import queryservice

from benchmarks.clients import DBFROM, Groups, batches

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTION = "eutils"


def harvest(base_url: str, db: str, uids: list[str]) -> Iterator[Groups]:
    queryservice.url_base = base_url.rstrip("/")
    service = QueryService(api_key=os.environ["NCBI_API_KEY"])
    for batch in batches(uids):
        linkname = f"{DBFROM}_{db}"
        question = {"dbfrom": DBFROM, "db": db, "linkname": linkname, "id": ",".join(batch)}
        root = ET.fromstring(service.elink(question))
        yield [
            (
                [str(one.text) for one in linkset.findall("IdList/Id")],
                [str(one.text) for one in linkset.findall("LinkSetDb/Link/Id")],
            )
            for linkset in root.findall("LinkSet")
        ]
