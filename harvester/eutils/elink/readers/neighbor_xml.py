"""Reader of all XML answers of cmd=neighbor and neighbor_score.

Shapes: NCBI's DTD eLink_101123, and deviations in recorded answers (an ERROR after a LinkSet's id
list, two styles of white space). The DTD is never fetched; declared entities are rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.eutils.elink.linksets import LinkSets, ToIds, uid_array
from harvester.eutils.elink.readers import fast_xml
from harvester.eutils.parsing import MAX_DEPTH, Unreadable, mend_xml, xml_parser

if TYPE_CHECKING:
    from collections.abc import Callable


def read(body: bytes, ids: ToIds = uid_array) -> LinkSets:
    """Return the LinkSets of an XML answer.

    Raises:
        Unreadable: not well-formed, declares entities, or not of ELink's shape.
    """
    if ids is uid_array and (usual := fast_xml.read(body)) is not None:
        return usual
    try:
        return _read(body, ids)
    except Unreadable:
        raise
    except (LookupError, ValueError) as error:  # misplaced elements, unknown encodings
        raise Unreadable("XML of another shape than an ELink answer") from error


def _read(body: bytes, ids: ToIds) -> LinkSets:
    return mend_xml(body, _fed).result(ids)


def _fed(body: bytes) -> _Reader:
    reader = _Reader()
    reader.feed(body)
    return reader


class _Reader:
    """Collects the columns of `LinkSets` while expat reads."""

    def __init__(self) -> None:
        self.found = LinkSets()
        self._root = False
        self._path: list[str] = []
        self._text: list[str] = []
        self._to_uid: list[str] = []
        self._score: list[str | None] = []
        self._dbto = self._linkname = ""
        self._links = self._links_before = 0
        self._end: dict[str, Callable[[str], None]] = {
            "Id": self._on_id,
            "Score": self._on_score,
            "DbTo": self._on_dbto,
            "LinkName": self._on_linkname,
            "LinkSetDb": self._on_linksetdb,
            "ERROR": self._on_error,
            "error": self._on_error,
        }

    def feed(self, body: bytes) -> None:
        parser = xml_parser()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._finish
        parser.CharacterDataHandler = self._text.append
        parser.Parse(body, True)

    def result(self, ids: ToIds) -> LinkSets:
        if not self._root:
            raise Unreadable("XML, but not an ELink answer")
        if not self._links == len(self._to_uid) == sum(self.found.counts):
            raise Unreadable("XML with links out of place")
        try:
            self.found.to_uid = ids(self._to_uid)
            if any(score is not None for score in self._score):
                self.found.score = pa.array(self._score, pa.string()).cast(pa.int64())
        except pa.ArrowException as error:
            raise Unreadable("XML of another shape than an ELink answer") from error
        return self.found

    def _start(self, name: str, _: dict[str, str]) -> None:
        if len(self._path) > MAX_DEPTH:
            raise Unreadable("XML that is nested too deeply")
        if not self._path:
            self._root = name == "eLinkResult"
        elif name == "LinkSet":
            self.found.ids.append([])
            self.found.errors.append(None)
        elif name == "LinkSetDb":
            self._links_before = len(self._to_uid)
            self._dbto = self._linkname = ""
        elif name == "Link":
            self._links += 1
        self._path.append(name)
        self._text.clear()

    def _finish(self, name: str) -> None:
        self._path.pop()
        act = self._end.get(name)
        if act:
            act("".join(self._text).strip())
        self._text.clear()

    def _on_id(self, text: str) -> None:
        if self._path[-1] == "Link":
            self._to_uid.append(text)
            self._score.append(None)
        elif self._path[-1] == "IdList":
            self.found.ids[-1].append(text)

    def _on_score(self, text: str) -> None:
        self._score[-1] = text

    def _on_dbto(self, text: str) -> None:
        self._dbto = text

    def _on_linkname(self, text: str) -> None:
        self._linkname = text

    def _on_linksetdb(self, _: str) -> None:
        count = len(self._to_uid) - self._links_before
        if count and not (self._dbto and self._linkname):
            raise Unreadable("XML with links without a name")
        if count:
            self.found.owner.append(len(self.found.ids) - 1)
            self.found.dbto.append(self._dbto)
            self.found.linkname.append(self._linkname)
            self.found.counts.append(count)

    def _on_error(self, text: str) -> None:
        if "LinkSet" not in self._path:
            self.found.error = self.found.error or text or "ERROR"
        elif self.found.errors[-1] is None:
            self.found.errors[-1] = text or "ERROR"
