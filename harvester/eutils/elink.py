"""ELink: the table of its cmds, the question as a form body, and the answer read.

A new cmd is one more row in `COMMANDS`, with a reader if its answers have a new shape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from harvester.errors import Fault, RequestFailed
from harvester.eutils.readers import neighbor_json, neighbor_xml
from harvester.eutils.readers.columns import LinkSets, Unreadable
from harvester.eutils.reconcile import Answer, reconcile
from harvester.identity import form_of
from harvester.schemas import NEIGHBOR_LINKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from harvester.identity import Identity
    from harvester.job import Link
    from harvester.verdict import Batch

PATH = "elink.fcgi"
Retmode: TypeAlias = Literal["json", "xml"]
_NAME = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Command:
    """How one cmd of ELink is answered.

    Attributes:
        schema: of its rows in `links`.
        readers: for each retmode, bytes of an answer to columns.
    """

    schema: pa.Schema
    readers: Mapping[Retmode, Callable[[bytes], LinkSets]]


_NEIGHBOR = Command(NEIGHBOR_LINKS, {"json": neighbor_json.read, "xml": neighbor_xml.read})

COMMANDS: Mapping[str, Command] = {"neighbor": _NEIGHBOR, "neighbor_score": _NEIGHBOR}


class Elink:
    """ELink as one job asks it.

    Args:
        link: what to ask for.
        identity: knows what must not be repeated of an ERROR.
    """

    path = PATH

    def __init__(self, link: Link, identity: Identity) -> None:
        self._link = link
        self._command = COMMANDS[link.cmd]
        self._identity = identity
        self._form = form_of(
            {
                "dbfrom": link.dbfrom,
                # Without db NCBI takes pubmed, without a word (NBK25499).
                "db": ",".join(link.db),
                "cmd": link.cmd,
                # A list of linknames is nowhere documented, and an unknown one has no links:
                # where there are several, all are asked for, and those wanted are kept.
                "linkname": link.linkname[0] if len(link.linkname) == 1 else None,
                "term": link.term,
                "datetype": link.datetype,
                "mindate": link.mindate,
                "maxdate": link.maxdate,
                "reldate": link.reldate,
            }
        )

    def __repr__(self) -> str:
        """The question."""
        return f"Elink({self._link!r})"

    @property
    def schema(self) -> pa.Schema:
        """Of the rows that answers become."""
        return self._command.schema

    def body(self, batch: Batch) -> bytes:
        """The form of a question by id: `id` repeated, so that each UID gets its own LinkSet.

        A comma list would merge the links of all of them (NBK25499). One format of the whole
        body costs an eighth of aiohttp's FormData.
        """
        ids = "&id=".join(map(str, batch.uids.tolist()))
        return b"%b&retmode=%b&id=%b" % (self._form, batch.retmode.encode(), ids.encode())

    def read(self, body: bytes, batch: Batch) -> Answer:
        """The answer to a batch, reconciled.

        Raises:
            RequestFailed: the body is not a whole answer, or says ERROR for all.
        """
        try:
            found = self._command.readers[batch.retmode](body)
            if not all(map(_NAME.fullmatch, {*found.dbto, *found.linkname})):
                raise Unreadable("an ELink answer with names that are none")  # noqa: TRY301
        except Unreadable as error:
            raise RequestFailed(Fault.BODY, f"the answer is {error}") from error
        told = self._identity.told
        if found.error is not None:
            raise RequestFailed(Fault.SERVER, told(found.error))
        answer = reconcile(found, batch.uids, self._link.dbfrom, self._link.linkname)
        return replace(answer, broken={uid: told(e) for uid, e in answer.broken.items()})
