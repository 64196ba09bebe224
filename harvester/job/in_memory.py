"""UIDs that a Python program gives to a job, in place of the name of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from pathlib import PurePath
from typing import Any, TypeAlias

from harvester.errors import printable

UidsInMemory: TypeAlias = int | str | Iterable[Any]
"""UIDs or accessions: one, or a list, range, set or generator, or an array, Series or column of
numpy, pandas, polars or pyarrow."""


class InMemory:
    """UIDs in memory, unchanged; printing and comparing a job does not read them.

    Args:
        values: an array or an iterable; an iterator is read to its end.

    Raises:
        ValueError: they are no list of UIDs.
    """

    __slots__ = ("values",)

    def __init__(self, values: object) -> None:
        self.values = _listed(values)

    def __repr__(self) -> str:
        """Show their number: there may be millions."""
        return f"<{len(self.values):,} UIDs in memory>"


def _listed(values: object) -> Any:
    """Return values that can be read again and again.

    Raises:
        ValueError: they are no list of UIDs.
    """
    shape: Any = getattr(values, "shape", (0,))
    if isinstance(values, Mapping) or (isinstance(shape, tuple) and len(shape) > 1):
        raise ValueError(
            f"a {type(values).__name__} is not a list of UIDs; give one column, like df['pmid']"
        )
    if hasattr(values, "__aiter__"):
        raise ValueError(
            "an asynchronous iterator is not a list of UIDs; give [uid async for uid in ...]"
        )
    if isinstance(values, PurePath | bytes) or _is_name(values):
        raise ValueError(
            f"{printable(repr(values), 60)} is not a UID; a Job reads UIDs from a file by "
            "source={'ids': 'FILE'}"
        )
    if isinstance(values, str):
        return [word for word in map(str.strip, values.split(",")) if word]
    if isinstance(values, Iterator):
        return list(values)
    if shape == () and hasattr(values, "item"):  # a number of numpy
        return [values.item()]
    if not isinstance(values, Iterable):
        return [values]
    return values if isinstance(values, Sized) else list(values)


def _is_name(value: object) -> bool:
    """Return whether a text looks like the name of a file."""
    return isinstance(value, str) and ("/" in value or value.lower().endswith(_SUFFIXES))


_SUFFIXES = (".txt", ".csv", ".tsv", ".parquet", ".gz", ".zst", ".xz", ".bz2", ".ids", ".list")
