"""Links of harvests in the formats of other tools.

A new format is one module here, with a function `write`, and one row in `FORMATS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from harvester.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests


@dataclass(frozen=True, slots=True)
class Options:
    """Content of an exported table.

    Attributes:
        wide: one row per UID, and one column per linkname.
        columns: fields of summaries to add.
    """

    wide: bool = False
    columns: tuple[str, ...] = ()


class Write(Protocol):
    """Writes one export."""

    def __call__(self, harvests: Harvests, to: Destination, options: Options) -> None:
        """Write the rows of some harvests.

        Raises:
            BadInput: the format cannot hold them.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        help: what is written, as a noun phrase.
        function: `module.name` of its function below this package.
        suffixes: suffixes of its files, the usual one first; of a folder none.
        table: whether it holds any table, rather than a graph of records.
        text: whether it can be compressed by the suffix .gz, and written to standard output.
        companions: suffixes of the names of further files beside the first.
        owned: for a folder, suffixes of the names in it.
    """

    help: str
    function: str
    suffixes: tuple[str, ...] = ()
    table: bool = False
    text: bool = False
    companions: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """True if it is a folder of files."""
        return not self.suffixes

    def load(self) -> Write:
        """Import the module and return its function."""
        module, name = self.function.split(".")
        write: Write = getattr(import_module(f"{__name__}.{module}"), name)
        return write


FORMATS: Mapping[str, Format] = {
    "csv": Format(
        help="comma-separated text",
        function="delimited.write_csv",
        suffixes=(".csv",),
        table=True,
        text=True,
    ),
    "tsv": Format(
        help="tab-separated text",
        function="delimited.write_tsv",
        suffixes=(".tsv", ".tab"),
        table=True,
        text=True,
    ),
    "xlsx": Format(
        help="an Excel workbook, up to 1,048,575 rows",
        function="excel.write",
        suffixes=(".xlsx",),
        table=True,
    ),
    "parquet": Format(
        help="one Parquet file, sorted by from_uid",
        function="parquet.write",
        suffixes=(".parquet", ".pq"),
        table=True,
    ),
    "duckdb": Format(
        help="a DuckDB database",
        function="duckdb.write",
        suffixes=(".duckdb", ".db", ".ddb"),
        table=True,
    ),
    "neo4j": Format(
        help="a folder for neo4j-admin database import",
        function="neo4j.write",
        owned=(".csv", ".sh"),
    ),
    "kgx": Format(
        help="a folder with nodes and edges in terms of Biolink",
        function="kgx.write",
        owned=("_nodes.tsv", "_edges.tsv"),
    ),
    "ntriples": Format(
        help="RDF", function="ntriples.write", suffixes=(".nt", ".ntriples"), text=True
    ),
    "graphml": Format(help="GraphML", function="graphml.write", suffixes=(".graphml",), text=True),
    "edgelist": Format(
        help="two columns of node numbers, and a table of the nodes",
        function="edgelist.write",
        suffixes=(".edgelist", ".edges"),
        text=True,
        companions=(".nodes.tsv",),
    ),
    "adjacency": Format(
        help="one line per UID with what it links to",
        function="adjacency.write",
        suffixes=(".adjlist", ".adj"),
        text=True,
    ),
    "npz": Format(
        help="sparse matrix in CSR form for numpy and scipy",
        function="npz.write",
        suffixes=(".npz",),
    ),
}
"""Name → format, in the order of the help."""


def need(module: str, extra: str = "export") -> None:
    """Check that an optional package is installed.

    Args:
        module: name to import.
        extra: extra of this distribution that has it.

    Raises:
        BadInput: it is not.
    """
    try:
        import_module(module)
    except ImportError as error:
        raise BadInput(
            f"The package {module} is missing. Install it with: "
            f"pip install 'elink-harvester[{extra}]'"
        ) from error
