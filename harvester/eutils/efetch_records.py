"""The records in an EFetch text: the text and the names of each.

Known formats: fasta, gb, gp, acc, uilist, medline, gene's text, ASN.1, feature tables, docsum and
the XML of PubMed, PMC, gene, taxonomy, sequences, BioSample, BioProject, SRA and SNP (NBK25499
table 1; answers recorded from 2008 to 2026). Cut texts are found where a format has an end: XML,
and `//` of gb and gp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.efetch_xml import xml_records
from harvester.job.databases import SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a text.

    Attributes:
        names: UIDs, accessions with and without version.
        text: the record alone; in XML a document with the roots around it.
    """

    names: set[str]
    text: str


def records_in(text: str, db: str, rettype: str, retmode: str) -> list[Record] | None:
    """Return each record in a text; None, if the format is not known.

    Args:
        text: an answer of EFetch, not empty.
        db: database of the records.
        rettype: as in the request; empty if it was not in it.
        retmode: as in the request; empty if it was not in it.

    Raises:
        RequestFailed: the text is cut.
    """
    if text.lstrip().startswith("<"):
        found = xml_records(text)
        if found is None and retmode != "xml" and rettype in _STRANGE:
            raise RequestFailed(Fault.BODY, f"the answer is XML of another kind than {rettype}")
        return None if found is None else [Record(*one) for one in found]
    if "xml" in (retmode, retmode or rettype) and rettype != "acc":
        said = printable(text.strip().partition("\n")[0])
        raise RequestFailed(Fault.BODY, f"the answer is not XML: {said}")
    if _ASN1_HEAD.match(text):
        return _asn1(text)
    known = rettype == "uilist" or db in (_ARTICLES if rettype == "medline" else SEQUENCES)
    strange = _STRANGE[rettype].search(text) if known and rettype in _STRANGE else None
    if strange:
        said = printable(strange[0].strip()) or "it is cut"
        raise RequestFailed(Fault.BODY, f"the answer is not all {rettype}: {said}")
    read = _TEXTS.get(rettype) or _TEXTS.get(f"{db} {rettype}")
    records = read(text) if read else None
    return records or None  # a format of that name without any recognised record


def _pieces(text: str, starts: Iterable[int]) -> list[str]:
    """Return the pieces of a text that begin at some places; the first begins with the text."""
    places = [0, *list(starts)[1:], len(text)]
    return [text[start:end] for start, end in pairwise(places)]


def _by_head(
    head: re.Pattern[str], names: Callable[[re.Match[str]], set[str]], text: str
) -> list[Record]:
    """Return the records of a text in which each begins with a line that names it."""
    heads = list(head.finditer(text))
    texts = _pieces(text, (found.start() for found in heads)) if heads else []
    return [Record(names(found), one) for found, one in zip(heads, texts, strict=True)]


def _lines(text: str) -> list[Record]:
    return [Record({line.strip()}, f"{line}\n") for line in text.splitlines() if line.strip()]


_FASTA_HEAD = re.compile(r"^>(?:Feature +)?(\S+)", re.MULTILINE)


def _fasta(text: str) -> list[Record]:
    """`>NM_000546.6 Homo sapiens ...`, formerly `>gi|371502114|ref|NM_000546.6| ...`.

    Feature tables have `>Feature ref|NM_000546.6|`.
    """
    return _by_head(_FASTA_HEAD, lambda found: {found[1], *found[1].split("|")} - {""}, text)


_LOCUS = re.compile(r"^LOCUS ", re.MULTILINE)
_END = re.compile(r"^//[ \t\r]*$", re.MULTILINE)
_VERSION = re.compile(r"^VERSION +(\S+)(?: +GI:(\d+))?", re.MULTILINE)
_ACCESSION = re.compile(r"^ACCESSION +(.+)$", re.MULTILINE)


def _flat(text: str) -> list[Record]:
    """GenBank and GenPept flat files."""
    starts = [found.start() for found in _LOCUS.finditer(text)]
    if len(_END.findall(text)) < len(starts):
        raise RequestFailed(Fault.BODY, "the last record of the answer is cut")
    records = []
    for record in _pieces(text, starts) if starts else ():
        names = {name for found in _VERSION.findall(record) for name in found if name}
        accessions = _ACCESSION.search(record)
        names |= set(accessions[1].split() if accessions else ())
        records.append(Record(names, record))
    return records


_MEDLINE_START = re.compile(r"(?:\A|\n[ \t\r]*\n)\s*(?=[A-Z]{2,4} *- )")


def _medline(field_name: str) -> Callable[[str], list[Record]]:
    """Return a reader of MEDLINE records, each after a blank line, with their UID in a field."""
    own = re.compile(rf"^{field_name} *- *(?:PMC)?(\d+)", re.MULTILINE)

    def read(text: str) -> list[Record]:
        starts = [found.end() for found in _MEDLINE_START.finditer(text)]
        texts = _pieces(text, starts) if starts else []
        return [Record(set(own.findall(one)), one) for one in texts]

    return read


_GENE_ID = re.compile(r"^ID: (\d+)\s*$", re.MULTILINE)


def _gene(text: str) -> list[Record]:
    """Text that EFetch returns for genes: each record ends with `ID: 19171` (recorded in 2023)."""
    ends = list(_GENE_ID.finditer(text))
    texts = _pieces(text, [0, *(found.end() for found in ends[:-1])]) if ends else []
    return [Record({found[1]}, one) for found, one in zip(ends, texts, strict=True)]


_ASN1_HEAD = re.compile(r"\s*[A-Z][\w-]* ::= ")
_ASN1_START = re.compile(r"^[A-Z][\w-]* ::= ", re.MULTILINE)
_ASN1_OWN = re.compile(r"\bid \{(.*?)\}\s*,\s*(?:descr|inst|annot)\b", re.DOTALL)
_ASN1_ID = re.compile(r"\b(?:gi|pmid|geneid) (\d+)")
_ASN1_ACCESSION = re.compile(r'\baccession "([^"]+)"(?:\s*,\s*version (\d+))?')


def _asn1(text: str) -> list[Record]:
    """`Seq-entry ::= seq { id { gi 371502114 }, descr ...`, or an Entrezgene or Pubmed-entry."""
    records = []
    for one in _pieces(text, (found.start() for found in _ASN1_START.finditer(text))):
        own = " ".join(_ASN1_OWN.findall(one)) if "Seq-entry" in one[:_HEAD] else one[:_HEAD]
        names = set(_ASN1_ID.findall(own))
        for accession, version in _ASN1_ACCESSION.findall(own):
            names |= {accession, f"{accession}.{version}"} if version else {accession}
        records.append(Record(names, one))
    return records


_HEAD = 400
"""Characters in which ASN.1 names its type and the UID of a gene or an article."""

_TEXTS: Mapping[str, Callable[[str], list[Record]]] = {
    "acc": _lines,
    "uilist": _lines,
    "fasta": _fasta,
    "ft": _fasta,
    "gb": _flat,
    "gp": _flat,
    "gbwithparts": _flat,
    "pubmed medline": _medline("PMID"),
    "pmc medline": _medline("PMC"),
    "gene docsum": _gene,
    "gene ": _gene,
}
"""Readers by rettype, or by database and rettype."""

_ARTICLES = ("pubmed", "pmc")

_NOT_FLAT = r"(?:\A|^//[ \t\r]*\n)\s*^(?!LOCUS )(?=\S).*"
_STRANGE: Mapping[str, re.Pattern[str]] = {
    "fasta": re.compile(r"\A\s*[^>\s].*|^(?!>|[A-Za-z*-]*[ \t\r]*$).+|(?<!\n)\Z", re.MULTILINE),
    "gb": re.compile(_NOT_FLAT, re.MULTILINE),
    "gp": re.compile(_NOT_FLAT, re.MULTILINE),
    "acc": re.compile(r"^.*\S[ \t]+\S.*", re.MULTILINE),
    "uilist": re.compile(r"^.*\S[ \t]+\S.*", re.MULTILINE),
    "medline": re.compile(r"\A\s*(?!\s|[A-Z][A-Z0-9]{1,3} *-).*"),
}
"""rettype → what its text never holds in the databases that have it: NCBI's words in place of
records or among them, such as `Resource temporarily unavailable`, or a last line that is cut."""
