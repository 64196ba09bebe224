"""kgx: nodes and edges of the Knowledge Graph Exchange format, in terms of the Biolink model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import xxhash

from harvester.export.curies import category, curies, relation
from harvester.export.nodes import Nodes
from harvester.export.summaries import check_names, node_fields
from harvester.export.text import batches, texts, write_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests

NODES, EDGES = "_nodes.tsv", "_edges.tsv"

_NODE_COLUMNS = ("id", "category", "provided_by")
_EDGE_COLUMNS = (
    "id\tsubject\tpredicate\tobject\tcategory\toriginal_predicate\tknowledge_level\tagent_type\n"
)
_SLOTS = {"title": "name"}
"""Field of summaries → slot of Biolink, where the name differs."""

_ASSOCIATION = "biolink:Association"
_PROVIDED_BY = "elink-harvester"

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_DASHES = (8, 12, 16, 20)
"""Number of digits of a UUID before each dash (RFC 9562)."""


def write(harvests: Harvests, to: Destination, options: Options) -> None:
    """Write the folder with NAME_nodes.tsv and NAME_edges.tsv."""
    fields = node_fields(harvests, options.columns, to.scratch)
    nodes, folder, name = Nodes(harvests), to.folder(), to.final.name
    slots = {} if "name" in options.columns else _SLOTS
    columns = [*_NODE_COLUMNS, *(slots.get(one, one) for one in options.columns)]
    check_names(columns)
    with (folder / f"{name}{NODES}").open("wb", buffering=1 << 20) as stream:
        stream.write(("\t".join(columns) + "\n").encode())
        for db, uids in nodes.batches():
            cells = [curies(db, uids), _mapped(db, category), _PROVIDED_BY]
            write_lines(stream, [*cells, *map(texts, fields(db, uids))], "\t")
    with (folder / f"{name}{EDGES}").open("wb", buffering=1 << 20) as stream:
        stream.write(_EDGE_COLUMNS.encode())
        for batch in batches(harvests.links("dbfrom", "from_uid", "dbto", "linkname", "to_uid")):
            linknames = batch["linkname"]
            cells = [
                edge_ids(batch),
                curies(batch["dbfrom"], batch["from_uid"]),
                _mapped(linknames, lambda name: f"biolink:{relation(name).predicate}"),
                curies(batch["dbto"], batch["to_uid"]),
                _ASSOCIATION,
                texts(linknames),
                _mapped(linknames, lambda name: relation(name).knowledge_level),
                _mapped(linknames, lambda name: relation(name).agent_type),
            ]
            write_lines(stream, cells, "\t")


def _mapped(column: pa.DictionaryArray, function: Callable[[str], str]) -> pa.Array:
    """Return the value of a function for each name of a column."""
    names = [function(name) for name in column.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(column.indices)


def edge_ids(batch: pa.RecordBatch) -> pa.Array:
    """Return a `urn:uuid:` for each link that is the same in every export (version 8, RFC 9562)."""
    link = _mixed(_hashed(batch["dbfrom"]) + np.uint64(3) * _hashed(batch["linkname"]))
    high = _mixed(_numbers(batch["from_uid"]) ^ link)
    low = _mixed(_numbers(batch["to_uid"]) ^ _mixed(link + _hashed(batch["dbto"])))
    data = np.empty((len(batch), 16), np.uint8)
    data[:, :8] = high.astype(">u8").view(np.uint8).reshape(-1, 8)
    data[:, 8:] = low.astype(">u8").view(np.uint8).reshape(-1, 8)
    data[:, 6] = data[:, 6] & 0x0F | 0x80
    data[:, 8] = data[:, 8] & 0x3F | 0x80
    digits = np.empty((len(batch), 32), np.uint8)
    digits[:, ::2], digits[:, 1::2] = _HEX[data >> 4], _HEX[data & 0x0F]
    return _texts(np.insert(digits, _DASHES, ord("-"), axis=1), b"urn:uuid:")


def _texts(chars: NDArray[np.uint8], prefix: bytes) -> pa.Array:
    """Return rows of characters as texts."""
    rows, width = len(chars), len(prefix) + chars.shape[1]
    whole = np.empty((rows, width), np.uint8)
    whole[:, : len(prefix)] = np.frombuffer(prefix, np.uint8)
    whole[:, len(prefix) :] = chars
    offsets = np.arange(0, rows * width + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(whole))


def _hashed(column: pa.DictionaryArray) -> NDArray[np.uint64]:
    """Return a number for each name of a column."""
    names = [xxhash.xxh3_64_intdigest(name.encode()) for name in column.dictionary.to_pylist()]
    found: NDArray[np.uint64] = np.array(names, np.uint64)[column.indices.to_numpy()]
    return found


def _numbers(column: pa.Array) -> NDArray[np.uint64]:
    if pa.types.is_string(column.type):
        return _hashed(column.dictionary_encode())
    numbers: NDArray[np.uint64] = column.to_numpy().view(np.uint64)
    return numbers


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the finaliser of SplitMix64, a bijection."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
