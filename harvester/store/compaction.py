"""Merge small parts into parts of a size that suits other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.model.schemas import UIDS, with_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.store.ledger import Ledger
    from harvester.store.state_reader import Part

MERGED_BYTES = 128 << 20
"""Largest size of a merged part. Spark, DuckDB and Polars all read files of this size well."""


def merge_small_parts(ledger: Ledger) -> None:
    """Merge neighbouring small parts of links and of UIDs; rows keep their order.

    Without any row of a kind, one empty part with the columns is written.

    Raises:
        FolderError: a part is not as it was committed; names it.
    """
    for kind in ("links", "uids"):
        for group in group_small(ledger.state.parts(kind), MERGED_BYTES):
            ledger.replace_parts(group, [ledger.parts.merge(group)])
    _keep_columns(ledger)


def _keep_columns(ledger: Ledger) -> None:
    """Write an empty part of each kind without one: DuckDB and Polars fail without a file."""
    uids = with_ids(UIDS, ledger.input.identifiers.type)
    for kind, schema in (("links", ledger.schema), ("uids", uids)):
        if not ledger.state.parts(kind):
            ledger.replace_parts([], [ledger.parts.write(kind, [schema.empty_table()])])


def group_small(parts: Sequence[Part], size: int) -> list[list[Part]]:
    """Return groups of two or more neighbours, each of at most `size` bytes together.

    Parts of at least half that size are left out.
    """
    groups: list[list[Part]] = [[]]
    total = 0
    for part in parts:
        if part.bytes >= size // 2:
            continue
        if total + part.bytes > size:
            groups.append([])
            total = 0
        groups[-1].append(part)
        total += part.bytes
    return [group for group in groups if len(group) > 1]
