"""stub"""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(slots=True)
class Entries:
    error: str | None
    ids: list[list[str]]
    errors: list[str | None]
    counts: list[int]
    rows: pa.Table
