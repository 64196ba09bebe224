"""Output formats of a harvest: one table, one row per format.

To add a format: its name in `Format`, a row in `FORMATS`, and a sink in `harvester.store.sinks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Format: TypeAlias = Literal["parquet", "jsonl"]
Codec: TypeAlias = Literal["zstd", "gzip", "none"]


@dataclass(frozen=True, slots=True)
class FormatSpec:
    """Properties of one format that do not depend on its code.

    Attributes:
        codec: compression by default.
        link_bytes: codec → bytes per row of `links`: of 44,338 real citations and 17,615 real links
            of genes (LINQS Pubmed-Diabetes, TRRUST v2), written by the sinks of this program.
        uid_bytes: bytes per row of `uids`.
    """

    codec: Codec
    link_bytes: Mapping[Codec, float]
    uid_bytes: float


FORMATS: Mapping[Format, FormatSpec] = {
    "parquet": FormatSpec("zstd", {"zstd": 4.0, "gzip": 4.0, "none": 8.5}, 1.0),
    "jsonl": FormatSpec("none", {"zstd": 7.5, "gzip": 8.5, "none": 126.0}, 80.0),
}
