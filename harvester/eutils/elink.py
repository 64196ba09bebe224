"""ELink: the table of its cmds, the question as a form body, and the answer read.

A new cmd is one more row in `COMMANDS`, with a reader if its answers have a new shape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote, quote_plus, urlencode

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.readers import neighbor_json, neighbor_xml
from harvester.eutils.readers.columns import LinkSets, Unreadable
from harvester.eutils.reconcile import Answer, reconcile
from harvester.schemas import NEIGHBOR_LINKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from harvester.job import Contact, Link
    from harvester.uids import UidArray

PATH = "elink.fcgi"
Retmode: TypeAlias = Literal["json", "xml"]
_NAME = re.compile(r"[\w.-]+", re.ASCII)
Fields: TypeAlias = "Mapping[str, str | int | None]"


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
        contact: who asks; `tool` and `email` go with every request (NBK25497).
        api_key: goes into the form body only, never into a URL that an error could print.

    Attributes:
        identity: the fields that say who asks, as a form body.
    """

    def __init__(self, link: Link, contact: Contact, api_key: str | None = None) -> None:
        self._link = link
        self._command = COMMANDS[link.cmd]
        fields: Fields = {
            "dbfrom": link.dbfrom,
            # Without db NCBI takes pubmed, without a word (NBK25499).
            "db": ",".join(link.db),
            "cmd": link.cmd,
            # A list of linknames is nowhere documented, and an unknown one has no links: where
            # there are several, all are asked for, and those wanted are kept.
            "linkname": link.linkname[0] if len(link.linkname) == 1 else None,
            "term": link.term,
            "datetype": link.datetype,
            "mindate": link.mindate,
            "maxdate": link.maxdate,
            "reldate": link.reldate,
        }
        who: Fields = {"tool": contact.tool, "email": contact.email, "api_key": api_key}
        self.identity = _form(who)
        self._form = _form(fields) + b"&" + self.identity
        # Servers have been seen to repeat the key in their errors.
        self._secrets = {api_key, quote(api_key, ""), quote_plus(api_key)} if api_key else ()

    def __repr__(self) -> str:
        """The question, without who asks it: the form holds the key."""
        return f"Elink({self._link!r})"

    @property
    def schema(self) -> pa.Schema:
        """Of the rows that answers become."""
        return self._command.schema

    def body(self, uids: UidArray, retmode: Retmode) -> bytes:
        """The form of a question by id: `id` repeated, so that each UID gets its own LinkSet.

        A comma list would merge the links of all of them (NBK25499). One format of the whole
        body costs an eighth of aiohttp's FormData.
        """
        ids = "&id=".join(map(str, uids.tolist()))
        return b"%b&retmode=%b&id=%b" % (self._form, retmode.encode(), ids.encode())

    def read(self, body: bytes, asked: UidArray, retmode: Retmode) -> Answer:
        """The answer to `asked`, reconciled.

        Raises:
            RequestFailed: the body is not a whole answer, or says ERROR for all.
        """
        try:
            found = self._command.readers[retmode](body)
            if not all(map(_NAME.fullmatch, {*found.dbto, *found.linkname})):
                raise Unreadable("an ELink answer with names that are none")  # noqa: TRY301
        except Unreadable as error:
            raise RequestFailed(Fault.BODY, f"the answer is {error}") from error
        if found.error is not None:
            raise RequestFailed(Fault.SERVER, self._told(found.error))
        answer = reconcile(found, asked, self._link.dbfrom, self._link.linkname)
        return replace(answer, broken={uid: self._told(e) for uid, e in answer.broken.items()})

    def _told(self, text: str) -> str:
        """A server's text fit to be kept and shown: on one line, and without the key."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return printable(text)


def _form(fields: Fields) -> bytes:
    """Fields as a form body; those without a value are left out."""
    return urlencode({key: value for key, value in fields.items() if value}).encode()
