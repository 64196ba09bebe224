"""How many records an EFetch text holds, and by which names it calls them.

Known formats: fasta, gb, gp, acc, uilist, medline, gene's text, docsum and the XML of PubMed, PMC,
gene, taxonomy, sequences, BioSample, BioProject, SRA and SNP (NBK25499 table 1; answers recorded
from 2008 to 2026). Cut texts are found where a format has an end: XML, and `//` of gb and gp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from harvester.errors import Fault, RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Names = set[str]
"""The names of one record: UIDs, accessions with and without version."""


def records_in(text: str, db: str, rettype: str, retmode: str) -> list[Names] | None:
    """Return the names of each record in a text; None, if the format is not known.

    Args:
        text: an answer of EFetch, not empty.
        db: database of the records.
        rettype: as in the request; empty if it was not in it.
        retmode: likewise.

    Raises:
        RequestFailed: the text is cut.
    """
    if text.lstrip().startswith("<"):
        return _xml_records(text)
    if "xml" in (rettype, retmode):
        return None
    read = _TEXTS.get(rettype) or _TEXTS.get(f"{db} {rettype}")
    records = read(text) if read else None
    return records or None  # a format of that name in which nothing is recognised


# --- text -------------------------------------------------------------------------------------


def _lines(text: str) -> list[Names]:
    return [{line.strip()} for line in text.splitlines() if line.strip()]


_FASTA_HEAD = re.compile(r"^>(\S+)", re.MULTILINE)


def _fasta(text: str) -> list[Names]:
    """`>NM_000546.6 Homo sapiens ...`, formerly `>gi|371502114|ref|NM_000546.6| ...`."""
    return [{head, *head.split("|")} for head in _FASTA_HEAD.findall(text)]


_LOCUS = re.compile(r"^LOCUS ", re.MULTILINE)
_END = re.compile(r"^//[ \t\r]*$", re.MULTILINE)
_VERSION = re.compile(r"^VERSION +(\S+)(?: +GI:(\d+))?", re.MULTILINE)
_ACCESSION = re.compile(r"^ACCESSION +(.+)$", re.MULTILINE)


def _flat(text: str) -> list[Names]:
    """GenBank and GenPept flat files."""
    starts = [found.start() for found in _LOCUS.finditer(text)]
    if len(_END.findall(text)) < len(starts):
        raise RequestFailed(Fault.BODY, "the last record of the answer is cut")
    records = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        record = text[start:end]
        names = {name for found in _VERSION.findall(record) for name in found if name}
        accessions = _ACCESSION.search(record)
        records.append(names | set(accessions[1].split() if accessions else ()))
    return records


def _medline(field_name: str) -> Callable[[str], list[Names]]:
    """Return a reader of MEDLINE records whose UID is in a field."""
    pattern = re.compile(rf"^{field_name} *- *(?:PMC)?(\d+)", re.MULTILINE)
    return lambda text: [{uid} for uid in pattern.findall(text)]


_GENE_ID = re.compile(r"^ID: (\d+)\s*$", re.MULTILINE)


def _gene(text: str) -> list[Names]:
    """Text that EFetch returns for genes: each record ends with `ID: 19171` (recorded in 2023)."""
    return [{uid} for uid in _GENE_ID.findall(text)]


_TEXTS: Mapping[str, Callable[[str], list[Names]]] = {
    "acc": _lines,
    "uilist": _lines,
    "fasta": _fasta,
    "gb": _flat,
    "gp": _flat,
    "gbwithparts": _flat,
    "pubmed medline": _medline("PMID"),
    "pmc medline": _medline("PMC"),
    "gene docsum": _gene,
    "gene ": _gene,
}
"""Readers by rettype, or by database and rettype."""


# --- XML --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """How an element names the record it is.

    Attributes:
        texts: paths below it whose texts are names.
        attribute: attribute of its own that is a name.
        kinds: attribute and values that an element at one of the paths must have.
    """

    texts: frozenset[str] = frozenset()
    attribute: str = ""
    kinds: tuple[str, frozenset[str]] | None = None


def _by(*texts: str, attribute: str = "") -> _Record:
    return _Record(frozenset(texts), attribute)


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


def _xml_records(text: str) -> list[Names] | None:
    """Return the names of the records in an XML document, or in elements without a root."""
    reader = _XmlReader()
    try:
        reader.feed(text)
    except expat.ExpatError as error:
        if error.code != expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]:
            raise RequestFailed(
                Fault.BODY, "the XML of the answer is cut, or not well-formed"
            ) from error
        reader = _XmlReader(depth=1)
        try:
            reader.feed(f"<several>{_DECLARATIONS.sub('', text)}</several>")
        except expat.ExpatError as again:
            raise RequestFailed(
                Fault.BODY, "the XML of the answer is cut, or not well-formed"
            ) from again
    return reader.records if reader.known else None


_DECLARATIONS = re.compile(r"<\?xml[^>]*\?>|<!DOCTYPE[^>\[]*>")


@dataclass(slots=True)
class _XmlReader:
    """Collects the names of records while expat reads.

    Attributes:
        depth: elements around what is a document by itself.
        records: names of each record so far.
        known: whether the root is that of a known format.
    """

    depth: int = 0
    records: list[Names] = field(default_factory=list)
    known: bool = False
    _path: list[str] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)
    _record: _Record | None = None
    _record_depth: int = 0
    _matches: bool = True

    def feed(self, text: str) -> None:
        """Read a whole document.

        Raises:
            xml.parsers.expat.ExpatError: it is not well-formed.
            RequestFailed: it declares entities.
        """
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = _refuse
        parser.Parse(text.encode("utf-8", "replace"), True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        path = self._path[self.depth :]
        self._text.clear()
        if len(path) == 1:
            self.known = self.known or name in _ROOTS
        if self._record is None:
            rule = _XML.get("/".join(path)) if len(path) <= 3 else None
            if rule is not None:
                self._record, self._record_depth = rule, len(self._path)
                self.records.append(set())
                if rule.attribute and rule.attribute in attributes:
                    self.records[-1].add(attributes[rule.attribute])
        elif self._record.kinds is not None:
            attribute, values = self._record.kinds
            self._matches = attributes.get(attribute) in values

    def _end(self, _: str) -> None:
        if self._record is not None:
            below = "/".join(self._path[self._record_depth :])
            if below in self._record.texts and self._matches:
                self._name("".join(self._text).strip())
            if len(self._path) == self._record_depth:
                self._record = None
        self._path.pop()
        self._text.clear()

    def _name(self, name: str) -> None:
        """Add a name: `gi|123`, `ref|NM_1.1|` and `PMC123.1` are several."""
        names = {name, *name.split("|")}
        if name.startswith("PMC"):
            names.add(name.removeprefix("PMC").partition(".")[0])
        self.records[-1] |= names - {""}


def _refuse(*_: object) -> None:
    raise RequestFailed(Fault.BODY, "the XML of the answer declares entities")
