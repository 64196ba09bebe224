"""graphml: one directed graph, with nodes for both ends of the links."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import pyarrow as pa

from harvester.export.nodes import Nodes, edge_properties
from harvester.export.summaries import node_fields
from harvester.export.text import batches, texts, write_lines
from harvester.model import lazy_compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests
    from harvester.export.summaries import NodeFields

_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns \
http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
<key id="db" for="node" attr.name="db" attr.type="string"/>
<key id="uid" for="node" attr.name="uid" attr.type={kind}/>
{fields}<key id="linkname" for="edge" attr.name="linkname" attr.type="string"/>
{properties}<graph id="links" edgedefault="directed">
"""
_TAIL = "</graph>\n</graphml>\n"


def write(harvests: Harvests, to: Destination, options: Options) -> None:
    """Write GraphML."""
    fields = node_fields(harvests, options.columns, to.scratch)
    nodes = Nodes(harvests)
    with to.stream() as stream:
        links, schema = harvests.links(), harvests.schema
        write_graph(stream, nodes.batches(), links, schema, options.columns, fields)


def write_graph(
    stream: IO[bytes],
    nodes: Iterable[tuple[pa.DictionaryArray, pa.Array]],
    links: Iterable[pa.Table],
    schema: pa.Schema,
    names: Sequence[str] = (),
    fields: NodeFields = lambda *_: [],
) -> None:
    """Write nodes and links as one document.

    Args:
        stream: takes it.
        nodes: databases and UIDs of records, each record once.
        links: rows of links.
        schema: of the links.
        names: names of more columns of the nodes.
        fields: returns these columns for some nodes.
    """
    keys = "".join(
        f'<key id="{key}" for="node" attr.name={quoteattr(name)} attr.type="string"/>\n'
        for key, name in zip(_keys(names), names, strict=True)
    )
    kind = quoteattr("string" if pa.types.is_string(schema.field("to_uid").type) else "long")
    edges = edge_properties(schema)
    properties = "".join(
        f'<key id="{name}" for="edge" attr.name="{name}" attr.type="{type_}"/>\n'
        for name, type_ in edges.items()
    )
    stream.write(_HEAD.format(kind=kind, fields=keys, properties=properties).encode())
    _write_nodes(nodes, stream, names, fields)
    _write_edges(links, stream, list(edges))
    stream.write(_TAIL.encode())


def _write_nodes(
    nodes: Iterable[tuple[pa.DictionaryArray, pa.Array]],
    stream: IO[bytes],
    names: Sequence[str],
    fields: NodeFields,
) -> None:
    for db, uids in nodes:
        columns = [
            '<node id="', node_ids(db, uids), '"><data key="db">', escaped(db),
            '</data><data key="uid">', escaped(uids), "</data>",
            *(
                _data(key, column)
                for key, column in zip(_keys(names), fields(db, uids), strict=True)
            ),
            "</node>",
        ]  # fmt: skip
        write_lines(stream, columns, "")


def _write_edges(links: Iterable[pa.Table], stream: IO[bytes], properties: Sequence[str]) -> None:
    for batch in batches(links):
        columns = [
            '<edge source="', node_ids(batch["dbfrom"], batch["from_uid"]),
            '" target="', node_ids(batch["dbto"], batch["to_uid"]),
            '"><data key="linkname">', escaped(batch["linkname"]), "</data>",
            *(_data(name, batch[name]) for name in properties), "</edge>",
        ]  # fmt: skip
        write_lines(stream, columns, "")


def node_ids(db: pa.DictionaryArray, uids: pa.Array) -> pa.Array:
    """Return the ids of records, `DB:UID`."""
    return pc.binary_join_element_wise(escaped(db), escaped(uids), ":")


def _keys(names: Sequence[str]) -> list[str]:
    """Return a key for each field of nodes, whatever is in its name (an NMTOKEN, as XML says)."""
    return [f"field-{number}" for number in range(len(names))]


def _data(key: str, column: pa.Array) -> pa.Array:
    """Return an element with each value, null where there is none."""
    start = f'<data key="{key}">'
    return pc.binary_join_element_wise(start, escaped(column), "</data>", "")


def escaped(column: pa.Array) -> pa.Array:
    """Return values as text for XML."""
    if pa.types.is_dictionary(column.type):
        return escaped(column.dictionary).take(column.indices)
    column, is_number = texts(column), pa.types.is_integer(column.type)
    for char, entity in () if is_number else _ENTITIES:
        column = pc.replace_substring(column, char, entity)
    return column
