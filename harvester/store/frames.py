"""Links and outcomes as tables of pyarrow, pandas and polars."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from harvester.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    import polars as pl

T = TypeVar("T")


class Frames:
    """Base of objects that hold links of some UIDs and the outcome of each UID."""

    __slots__ = ()

    def links(self) -> pa.Table:
        """Return the links, with the columns of `links/` in a harvest's folder."""
        raise NotImplementedError

    def uids(self) -> pa.Table:
        """Return the outcomes, with the columns of `uids/` in a harvest's folder."""
        raise NotImplementedError

    def to_pandas(self) -> pd.DataFrame:
        """Return the links as a data frame of pandas; names are categories.

        Raises:
            BadInput: pandas is not installed.
        """
        frame: pd.DataFrame = _with("pandas", lambda _: self.links().to_pandas())
        return frame

    def to_polars(self) -> pl.DataFrame:
        """Return the links as a data frame of polars; names are categories.

        Raises:
            BadInput: polars is not installed.
        """
        frame: pl.DataFrame = _with("polars", lambda polars: polars.from_arrow(self.links()))
        return frame


def joined(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """Return tables as one, with one dictionary for each column of names."""
    together = pa.concat_tables([schema.empty_table(), *tables])
    return together.unify_dictionaries().combine_chunks()


def _with(package: str, work: Callable[[Any], T]) -> T:
    try:
        module = import_module(package)
    except ModuleNotFoundError:
        raise BadInput(f"{package} is not installed: pip install {package}") from None
    return work(module)
