"""ntriples: one RDF triple per link (N-Triples 1.1).

Citations are CiTO's; the property of any other link is NCBI's description of its linkname.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.export.curies import iris, property_iri
from harvester.export.text import batches, write_lines

if TYPE_CHECKING:
    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests

_COLUMNS = ("dbfrom", "from_uid", "dbto", "linkname", "to_uid")


def write(harvests: Harvests, to: Destination, options: Options) -> None:  # noqa: ARG001
    """Write triples."""
    with to.stream() as stream:
        for batch in batches(harvests.links(*_COLUMNS)):
            linknames = batch["linkname"]
            properties = [property_iri(name) for name in linknames.dictionary.to_pylist()]
            columns = [
                "<",
                iris(batch["dbfrom"], batch["from_uid"]),
                "> <",
                pa.array(properties, pa.string()).take(linknames.indices),
                "> <",
                iris(batch["dbto"], batch["to_uid"]),
                "> .",
            ]
            write_lines(stream, columns, "")
