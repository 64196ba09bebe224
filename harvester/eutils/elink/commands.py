"""ELink: the form of a request, and the reading of its answer, for each cmd.

`harvester.job.cmds.CMDS` defines what a cmd accepts and returns; `COMMANDS` defines how its answers
are read and which rows they become.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harvester.errors import RequestFailed, printable
from harvester.eutils.elink.linksets import LinkSets, accession_array, uid_array
from harvester.eutils.elink.neighbor_rows import reconcile, reconcile_merged
from harvester.eutils.elink.other_rows import reconcile_entries, reconcile_sets
from harvester.eutils.elink.readers import acheck, history, neighbor_json, neighbor_xml, urls
from harvester.eutils.elink.readers.checks import LCHECK, NCHECK
from harvester.eutils.identity import form_of
from harvester.eutils.parsing import Unreadable, error_fault, unreadable
from harvester.model.identifiers import Identifiers, Uids
from harvester.model.row_schemas import LINK_SCHEMAS, link_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from harvester.eutils.elink.entries import Entries
    from harvester.job.link import Link
    from harvester.model.answer import Answer
    from harvester.model.batch import Batch, Retmode
    from harvester.model.uids import UidArray

PATH = "elink.fcgi"
_NAME = re.compile(r"[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Command:
    """Reading rules for the answers of one cmd.

    Attributes:
        schema: schema of its rows in `links`.
        readers: retmode → function from the body of an answer to its entries.
        key: columns that identify a row; none, if answers cannot be compared.
        flag: column that says whether a row represents links; None: every row does.
    """

    schema: pa.Schema
    readers: Mapping[Retmode, Callable[..., LinkSets | Entries]]
    key: tuple[str, ...]
    flag: str | None = None


_NEIGHBOR = Command(
    LINK_SCHEMAS["neighbor"],
    {"json": neighbor_json.read, "xml": neighbor_xml.read},
    ("from_uid", "dbto", "linkname", "to_uid"),
)
_URLS = Command(
    LINK_SCHEMAS["llinks"],
    {"json": urls.read_json, "xml": urls.read_xml},
    ("from_uid", "url", "provider_id"),
)

COMMANDS: Mapping[str, Command] = {
    "neighbor": _NEIGHBOR,
    "neighbor_score": _NEIGHBOR,
    "neighbor_history": Command(
        LINK_SCHEMAS["neighbor_history"],
        {"json": history.read_json, "xml": history.read_xml},
        (),
    ),
    "acheck": Command(
        LINK_SCHEMAS["acheck"],
        {"json": acheck.read_json, "xml": acheck.read_xml},
        ("from_uid", "dbto", "linkname"),
    ),
    "ncheck": Command(
        LINK_SCHEMAS["ncheck"],
        {"json": NCHECK.read_json, "xml": NCHECK.read_xml},
        ("from_uid", NCHECK.column),
        flag=NCHECK.column,
    ),
    "lcheck": Command(
        LINK_SCHEMAS["lcheck"],
        {"json": LCHECK.read_json, "xml": LCHECK.read_xml},
        ("from_uid", LCHECK.column),
        flag=LCHECK.column,
    ),
    "llinks": _URLS,
    "llinkslib": _URLS,
    "prlinks": _URLS,
}


class Elink:
    """Request for the links of a job.

    Args:
        link: the links to request.
        identifiers: how UIDs are written; as numbers, by default.
    """

    path = PATH
    max_batch = None

    def __init__(self, link: Link, identifiers: Identifiers | None = None) -> None:
        self._link = link
        self._command = COMMANDS[link.cmd]
        self._identifiers = identifiers or Uids()
        self._to_ids = accession_array if link.idtype == "acc" else uid_array
        self._merged = link.is_merged
        self._form = form_of(
            {
                "dbfrom": link.dbfrom,
                # Without db NCBI silently uses pubmed (NBK25499).
                "db": ",".join(link.db),
                "cmd": link.cmd,
                # A list of linknames is not documented, and an unknown one has no links. If there
                # are several, all linknames are requested, and the others are dropped here.
                "linkname": link.linkname[0] if len(link.linkname) == 1 else None,
                "term": link.term,
                "datetype": link.datetype,
                "mindate": link.mindate,
                "maxdate": link.maxdate,
                "reldate": link.reldate,
                "holding": link.holding,
                "idtype": link.idtype if link.idtype == "acc" else None,
            }
        )

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"Elink({self._link!r})"

    @property
    def schema(self) -> pa.Schema:
        """Schema of the rows that answers become."""
        return schema_of(self._link)

    def body(self, batch: Batch) -> bytes:
        """Return the form of a request, with one `id` per UID, so that each gets its own LinkSet.

        A comma list merges the links of all UIDs (NBK25499); it is used for merged cmds only. One
        format of the whole body costs an eighth of aiohttp's FormData.
        """
        separator = "," if self._merged else "&id="
        ids = separator.join(self._identifiers.texts(batch.uids))
        return b"%b&retmode=%b&id=%b" % (self._form, batch.retmode.encode(), ids.encode())

    def read(self, body: bytes, batch: Batch) -> Answer:
        """Return the answer to a batch, matched with its UIDs.

        Raises:
            RequestFailed: the body is not a whole answer, or holds an ERROR about all of it. That
                may stand in a LinkSet that names no UID (recorded 2003 to 2026); if the answer
                holds anything else, such an ERROR becomes its remark.
        """
        try:
            found = self._read(body, batch.retmode)
        except Unreadable as error:
            raise unreadable(f"the answer is {error}") from error
        if found.error is not None:
            raise _failure(found.error)
        answer = self._reconciled(found, batch.uids)
        if any(found.errors):
            remark = _nameless_error(found)
            if remark and (self._merged or not (len(answer.answered) or answer.broken)):
                raise _failure(remark)
            broken = {uid: printable(error) for uid, error in answer.broken.items()}
            answer = replace(answer, broken=broken, remark=printable(remark))
        return answer

    def _read(self, body: bytes, retmode: Retmode) -> LinkSets | Entries:
        read = self._command.readers[_form_of_answer(body, retmode)]
        if self._command is not _NEIGHBOR:
            return read(body)
        found = read(body, self._to_ids)
        if isinstance(found, LinkSets) and not all(
            map(_NAME.fullmatch, {*found.dbto, *found.linkname})
        ):
            raise Unreadable("an ELink answer with invalid names")
        return found

    def _reconciled(self, found: LinkSets | Entries, asked: UidArray) -> Answer:
        dbfrom, linknames, identifiers = self._link.dbfrom, self._link.linkname, self._identifiers
        if isinstance(found, LinkSets):
            match = reconcile_merged if self._merged else reconcile
            return match(found, asked, dbfrom, linknames, identifiers)
        if self._merged:
            return reconcile_sets(found, asked, dbfrom, identifiers, linknames)
        flag = self._command.flag
        return reconcile_entries(found, asked, dbfrom, identifiers, linknames, flag)


def _form_of_answer(body: bytes, asked: Retmode) -> Retmode:
    """Return the form of an answer: an ERROR may come in XML, whatever was requested."""
    first = body[:100].lstrip()[:1]
    return "xml" if first == b"<" else "json" if first == b"{" else asked


def _nameless_error(found: LinkSets | Entries) -> str:
    """Return the first ERROR of a LinkSet that names no UID, or an empty text."""
    pairs = zip(found.ids, found.errors, strict=True)
    return next((error for ids, error in pairs if error and not ids), "")


def _failure(error: str) -> RequestFailed:
    """Return the failure that an ERROR about the whole request means."""
    return RequestFailed(error_fault(error), printable(error))


def schema_of(link: Link) -> pa.Schema:
    """Return the schema of the rows of `links` that answers become."""
    return link_schema(link.cmd, targets_only=link.targets_only, idtype=link.idtype)
