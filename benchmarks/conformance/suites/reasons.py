"""Known reasons why tests of other clients' suites fail against the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATA = "expects the content of a real record"
_NOT_SERVED = "expects the database popset, which EInfo did not list on 2025-11-27"

REASONS: Mapping[str, str] = {
    "test_ecitmatch": _DATA,
    "test_efetch_gds_utf8": _DATA,
    "test_espell": "expects the correction of a real word",
    "test_medline_from_url": _DATA,
    "test_seqio_from_url": _DATA,
    "test_webenv_search": "expects NCBI's number of links of two proteins",
    "test_citmatch.r 1": _DATA,
    "test_docs.r 1": _NOT_SERVED,
    "test_fetch.r 1": _NOT_SERVED,
    "test_link.r 1": "expects links of the linkname pubmed_mesh_major",
    "test_link.r 4": "NCBI does not send that message any more (rentrez#220)",
    "test_link.r 5": "expects a provider whose name has no character such as &",
    "test_net.r 1": "connects to NCBI",
    "test_parse.r 3": "expects that PMID 25905152 is of a type that rentrez does not know",
    "test_query.r 1":
        "expects status 400 for a garbage id; NCBI sends 200 with an error text (2026-09)",
    "test_query.r 2": "expects a query without hits",
    "test_search.r 2": _DATA,
    "test_search.r 3": _DATA,
    "test_summary.r 1": _NOT_SERVED,
}  # fmt: skip
