"""The records in the XML of EFetch: the text and the names of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from harvester.errors import Fault, RequestFailed

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class _Record:
    """The places of an element that name the record.

    Attributes:
        texts: paths below it whose texts are names.
        attribute: attribute of its own that is a name.
        ends: ends of paths below it whose texts are names.
        kinds: attribute and values that an element at one of the paths must have.
    """

    texts: frozenset[str] = frozenset()
    ends: tuple[str, ...] = ()
    attribute: str = ""
    kinds: tuple[str, frozenset[str]] | None = None


def _by(*texts: str, attribute: str = "") -> _Record:
    return _Record(frozenset(texts), attribute=attribute)


_SEQ_ENTRY = _Record(
    ends=(
        "Bioseq_id/Seq-id/Seq-id_gi",
        "/Textseq-id/Textseq-id_accession",
        "/Textseq-id/Textseq-id_version",
    )
)
"""Sequences, or a set of a nucleotide sequence and its proteins, as deep as they may stand."""

_XML: Mapping[str, _Record] = {
    "PubmedArticleSet/PubmedArticle": _by("MedlineCitation/PMID"),
    "PubmedArticleSet/PubmedBookArticle": _by("BookDocument/PMID"),
    "pmc-articleset/article": _Record(
        frozenset(("front/article-meta/article-id",)),
        kinds=("pub-id-type", frozenset(("pmc", "pmcid", "pmcaid"))),
    ),
    "TaxaSet/Taxon": _by("TaxId", "AkaTaxIds/TaxId"),
    "Entrezgene-Set/Entrezgene": _by("Entrezgene_track-info/Gene-track/Gene-track_geneid"),
    "GBSet/GBSeq": _by(
        "GBSeq_primary-accession", "GBSeq_accession-version", "GBSeq_other-seqids/GBSeqid"
    ),
    "INSDSet/INSDSeq": _by(
        "INSDSeq_primary-accession", "INSDSeq_accession-version", "INSDSeq_other-seqids/INSDSeqid"
    ),
    "TSeqSet/TSeq": _by("TSeq_gi", "TSeq_accver"),
    "Bioseq-set/Bioseq-set_seq-set/Seq-entry": _SEQ_ENTRY,
    "Seq-entry": _SEQ_ENTRY,
    "BioSampleSet/BioSample": _by(attribute="id"),
    "RecordSet/DocumentSummary": _by(attribute="uid"),
    "ExchangeSet/DocumentSummary": _by(attribute="uid"),
    "DocumentSummary": _by(attribute="uid"),
    "eSummaryResult/DocSum": _by("Id"),
    "eSummaryResult/DocumentSummarySet/DocumentSummary": _by(attribute="uid"),
    "EXPERIMENT_PACKAGE_SET/EXPERIMENT_PACKAGE": _by(),
    "IdList/Id": _by(""),
}
"""Path of a record element → how it names its record."""

_ROOTS = frozenset(path.partition("/")[0] for path in _XML)


def is_record(tag: str) -> bool:
    """Return whether an XML element is a record by itself, without a root around several."""
    return tag in _XML


def xml_records(text: str) -> list[tuple[set[str], str]] | None:
    """Return the records in an XML document, or in elements without a root.

    Returns:
        Names and text of each record: a document of its own, with the prolog and the roots that it
        stood in. None, if the root is not known.

    Raises:
        RequestFailed: the XML is cut, or declares entities.
    """
    reader = _XmlReader(text.encode("utf-8", "replace"))
    try:
        reader.feed()
    except expat.ExpatError as error:
        if error.code != expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]:
            raise RequestFailed(
                Fault.BODY, "the XML of the answer is cut, or not well-formed"
            ) from error
        inner = f"<several>{_DECLARATIONS.sub('', text)}</several>"
        reader = _XmlReader(inner.encode("utf-8", "replace"), depth=1)
        try:
            reader.feed()
        except expat.ExpatError as again:
            raise RequestFailed(
                Fault.BODY, "the XML of the answer is cut, or not well-formed"
            ) from again
    return reader.records if reader.known else None


_DECLARATIONS = re.compile(r"<\?xml[^>]*\?>|<!DOCTYPE[^>\[]*>")
_TAG = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")


@dataclass(slots=True)
class _XmlReader:
    """Collects records while expat reads.

    Attributes:
        body: the document.
        depth: number of elements around a record.
        records: names and text of each record so far.
        known: whether the root is that of a known format.
    """

    body: bytes
    depth: int = 0
    records: list[tuple[set[str], str]] = field(default_factory=list)
    known: bool = False
    _parser: expat.XMLParserType = field(default_factory=lambda: expat.ParserCreate("utf-8"))
    _path: list[str] = field(default_factory=list)
    _roots: list[int] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)
    _record: _Record | None = None
    _record_depth: int = 0
    _names: set[str] = field(default_factory=set)
    _accession: str = ""
    _matches: bool = True

    def feed(self) -> None:
        """Read the whole document.

        Raises:
            xml.parsers.expat.ExpatError: it is not well-formed.
            RequestFailed: it declares entities.
        """
        parser = self._parser
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = _refuse
        parser.Parse(self.body, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        path = self._path[self.depth :]
        self._text.clear()
        if len(path) == 1:
            self.known = self.known or name in _ROOTS
        if self._record is None:
            self._roots[len(self._path) - 1 :] = [self._parser.CurrentByteIndex]
            rule = _XML.get("/".join(path)) if len(path) <= 3 else None
            if rule is not None:
                self._record, self._record_depth = rule, len(self._path)
                own = attributes.get(rule.attribute) if rule.attribute else None
                self._names = set() if own is None else {own}
        elif self._record.kinds is not None:
            attribute, values = self._record.kinds
            self._matches = attributes.get(attribute) in values

    def _end(self, name: str) -> None:
        if self._record is not None:
            below = "/".join(self._path[self._record_depth :])
            texts, ends = self._record.texts, self._record.ends
            if (below in texts or below.endswith(ends)) and self._matches:
                self._name(name, "".join(self._text).strip())
            if len(self._path) == self._record_depth:
                self.records.append((self._names, self._document()))
                self._record = None
        self._path.pop()
        self._text.clear()

    def _name(self, tag: str, name: str) -> None:
        """Add a name: `gi|123`, `ref|NM_1.1|` and `PMC123.1` are several."""
        if tag == "Textseq-id_version":
            name = f"{self._accession}.{name}"
        self._accession = name
        names = {name, *name.split("|")}
        if name.startswith("PMC"):
            names.add(name.removeprefix("PMC").partition(".")[0])
        self._names |= names - {""}

    def _document(self) -> str:
        """Return the record that ends here, in the elements around it."""
        *roots, start = self._roots[self.depth :]
        end = self.body.index(b">", self._parser.CurrentByteIndex) + 1
        parts = [] if self.depth else [self.body[: (roots or [start])[0]].rstrip()]
        parts += [self._tag(root) for root in roots]
        parts.append(self.body[start:end])
        parts += [f"</{name}>".encode() for name in reversed(self._path[self.depth : -1])]
        return b"\n".join(part for part in parts if part).decode() + "\n"

    def _tag(self, start: int) -> bytes:
        found = _TAG.match(self.body, start)
        assert found is not None  # expat has read the prolog
        return found[0]


def _refuse(*_: object) -> None:
    raise RequestFailed(Fault.BODY, "the XML of the answer declares entities")
