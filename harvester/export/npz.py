"""npz: the links as a sparse matrix in CSR form, one row and one column per node.

`scipy.sparse.load_npz` loads the file. Row i has the targets of node i, ascending, at
`indices[indptr[i] : indptr[i + 1]]`; two links between the same nodes are two entries. `linkname`
has the name of each link, as a place in `linknames`, and for cmd neighbor_score `score` its score.
Node i is the record `node_uid[i]` of the database `dbs[node_db[i]]`.
"""

from __future__ import annotations

import shutil
import zipfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy

from harvester.export.nodes import Nodes
from harvester.export.sorting import sort_rows, whole_groups
from harvester.export.text import batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests

_COLUMNS = ("dbfrom", "from_uid", "dbto", "linkname", "to_uid")
_PER_LINK = {"indices": "target", "linkname": "linkname", "score": "score"}
"""Array → column of the numbered links."""

_ONES = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)
"""Time of the members, so that equal exports are equal files."""


def write(harvests: Harvests, to: Destination, options: Options) -> None:  # noqa: ARG001
    """Write the arrays."""
    nodes, linknames = Nodes(harvests), dict[str, int]()
    most = max(nodes.count, harvests.link_count)
    kind = np.dtype(np.int32 if most < 2**31 else np.int64)
    rows = sort_rows(
        _numbered(harvests, nodes, linknames, kind), "source", to.scratch, harvests.link_count
    )
    kinds = {"indices": kind, "linkname": np.dtype(np.int16)}
    if _has_scores(harvests):
        kinds["score"] = np.dtype(np.int64)
    count = _write_rows(rows, to.scratch, nodes.count, kind, list(kinds))
    dbs = nodes.dbs
    with zipfile.ZipFile(to.path, "w", zipfile.ZIP_STORED, allowZip64=True) as packed:
        _member(packed, "indptr", to.scratch / "indptr", kind, nodes.count + 1)
        for name, its in kinds.items():
            _member(packed, name, to.scratch / name, its, count)
        _ones(packed, count)
        _array(packed, "shape", np.array([nodes.count, nodes.count], np.int64))
        _array(packed, "format", np.array(b"csr"))
        _array(packed, "linknames", np.array(list(linknames), np.str_))
        _array(packed, "dbs", np.array(dbs, np.str_))
        _write_nodes(packed, nodes, to.scratch)


def _numbered(
    harvests: Harvests, nodes: Nodes, linknames: dict[str, int], kind: np.dtype[Any]
) -> Iterator[pa.Table]:
    """Yield links as numbers: source, target, place of the linkname, and score if there are any."""
    scores = ("score",) if _has_scores(harvests) else ()
    for batch in batches(harvests.links(*_COLUMNS, *scores)):
        names = batch["linkname"]
        known = [
            linknames.setdefault(name, len(linknames)) for name in names.dictionary.to_pylist()
        ]
        columns = {
            "source": nodes.numbers(batch["dbfrom"], batch["from_uid"]).astype(kind),
            "target": nodes.numbers(batch["dbto"], batch["to_uid"]).astype(kind),
            "linkname": np.array(known, np.int16)[names.indices.to_numpy()],
        } | {name: batch[name].fill_null(0) for name in scores}
        yield pa.table(columns)


def _has_scores(harvests: Harvests) -> bool:
    return any(one.cmd == "neighbor_score" for one in harvests.readers)


def _write_rows(
    tables: Iterator[pa.Table],
    scratch: Path,
    nodes: int,
    kind: np.dtype[Any],
    names: Sequence[str],
) -> int:
    """Write indptr, and the arrays with a value for each link, as bytes; return the links."""
    done = links = 0  # rows of the matrix begun, and links before them
    with ExitStack() as opened:
        indptr, *files = (
            opened.enter_context((scratch / name).open("wb", buffering=1 << 20))
            for name in ("indptr", *names)
        )
        for table in whole_groups(tables, "source"):
            columns = {name: table[name].to_numpy() for name in table.column_names}
            order = np.lexsort((columns["linkname"], columns["target"], columns["source"]))
            source = columns["source"][order]
            for name, file in zip(names, files, strict=True):
                file.write(columns[_PER_LINK[name]][order].data)
            last = int(source[-1])
            starts = np.searchsorted(source, np.arange(done, last + 1)) + links
            indptr.write(starts.astype(kind).data)
            done, links = last + 1, links + len(source)
        _repeat(indptr, links, nodes + 1 - done, kind)
    return links


def _repeat(stream: IO[bytes], value: int, count: int, kind: np.dtype[Any]) -> None:
    for at in range(0, count, _ONES):
        stream.write(np.full(min(_ONES, count - at), value, kind).data)


def _write_nodes(packed: zipfile.ZipFile, nodes: Nodes, scratch: Path) -> None:
    numbers = {db: number for number, db in enumerate(nodes.dbs)}
    with (scratch / "node_db").open("wb") as file:
        for db, uids in nodes.batches():
            code = numbers[db.dictionary[0].as_py()]
            file.write(np.full(len(uids), code, np.int16).data)
    _member(packed, "node_db", scratch / "node_db", np.int16, nodes.count)
    width = max(
        (len(text) for db in nodes.dbs for uids in nodes.of(db) for text in uids.to_pylist())
        if _of_texts(nodes)
        else (),
        default=1,
    )
    kind = np.dtype(f"<U{width}") if _of_texts(nodes) else np.dtype(np.int64)
    with (scratch / "node_uid").open("wb") as file:
        for _, uids in nodes.batches():
            file.write(uids.to_numpy(zero_copy_only=False).astype(kind).tobytes())
    _member(packed, "node_uid", scratch / "node_uid", kind, nodes.count)


def _of_texts(nodes: Nodes) -> bool:
    return any(pa.types.is_string(uids.type) for db in nodes.dbs for uids in nodes.of(db))


def _member(packed: zipfile.ZipFile, name: str, path: Path, kind: DTypeLike, count: int) -> None:
    """Add an array whose bytes are in a file, and delete the file."""
    with packed.open(zipfile.ZipInfo(f"{name}.npy", _DATE), "w", force_zip64=True) as member:
        _header(member, np.dtype(kind), (count,))
        with path.open("rb") as file:
            shutil.copyfileobj(file, member, 1 << 20)
    path.unlink()


def _ones(packed: zipfile.ZipFile, count: int) -> None:
    """Add the values of the matrix; they are compressed, since all are 1."""
    info = zipfile.ZipInfo("data.npy", _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    kind = np.dtype(np.int32)
    with packed.open(info, "w", force_zip64=True) as member:
        _header(member, kind, (count,))
        _repeat(member, 1, count, kind)


def _array(packed: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with packed.open(zipfile.ZipInfo(f"{name}.npy", _DATE), "w") as member:
        npy.write_array(member, array, allow_pickle=False)


def _header(stream: IO[bytes], kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
    descr = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    npy.write_array_header_2_0(stream, descr)
