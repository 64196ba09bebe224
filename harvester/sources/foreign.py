"""Identifiers that are not UIDs: recognise them, and say how to find the UID.

The patterns are those that the databases publish. ELink reads only the digits of a word:
`DRP004793` was answered as the UID 4793 (nf-core/fetchngs#314), so none of these is sent as a UID.
The field [accn] is described in NBK49540.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from harvester.errors import printable
from harvester.job.databases import SEQUENCES

CONVERTER = "https://pmc.ncbi.nlm.nih.gov/tools/idconv/"
"""NCBI's converter of PMIDs, PMC ids and DOIs."""


class Kind(NamedTuple):
    """Kind of identifier.

    Attributes:
        pattern: matches the whole word.
        name: noun phrase.
        remedy: what to do; `{word}` is the identifier, `{database}` the next field.
        database: of the records that it names, if a database of NCBI.
        sequence: whether it is an accession of a sequence database, as `--idtype acc` takes.
    """

    pattern: re.Pattern[str]
    name: str
    remedy: str
    database: str = ""
    sequence: bool = False


def _kind(pattern: str, name: str, remedy: str, database: str = "", **more: bool) -> Kind:
    compiled = re.compile(pattern, re.IGNORECASE | re.ASCII | re.VERBOSE)
    return Kind(compiled, name, remedy, database, **more)


_SEARCH = "find its UID with --dbfrom {database} --query '{word}[accn]'"

_DOI = r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?"
_DOI_PREFIX = re.compile(_DOI, re.IGNORECASE)

_SYMBOL = re.compile(r"[A-Z][A-Z\d]{0,9}(?:-[A-Z\d]{1,6})?|C\d{1,2}orf\d{1,3}", re.IGNORECASE)

_KINDS = (
    _kind(
        rf"{_DOI} 10\.\d{{4,9}}/\S+",
        "a DOI",
        f"find its PMID with --dbfrom pubmed --query '{{word}}[doi]', or convert it at {CONVERTER}",
    ),
    _kind(r"(?:https?|ftp)://\S+|www\.\S+", "a web address", "give the UID alone"),
    _kind(r"(?:[SED]R[APRSXZ]|SRA)\d{5,}", "an accession of SRA", _SEARCH, "sra"),
    _kind(r"PMC\d+\.\d+", "a version of an article of PMC", "give its PMC id without the version"),
    _kind(r"PRJ[NED][A-Z]\d+", "an accession of BioProject", _SEARCH, "bioproject"),
    _kind(r"SAM(?:N|D|EA?)[A-Z]?\d+", "an accession of BioSample", _SEARCH, "biosample"),
    _kind(r"G(?:SE|SM|PL|DS)\d+", "an accession of GEO", _SEARCH, "gds"),
    _kind(
        r"GC[AF]_\d{9}(?:\.\d+)?",
        "an accession of Assembly",
        "find its UID with --dbfrom assembly --query '{word}'",
        "assembly",
    ),
    _kind(
        r"(?:RCV|VCV|SCV)\d{9}(?:\.\d+)?",
        "an accession of ClinVar",
        "find its UID with --dbfrom clinvar --query '{word}'",
        "clinvar",
    ),
    _kind(
        r"ENS[A-Z]*(?:E|FM|G|GT|P|R|T)\d{11}(?:\.\d+)?",
        "an identifier of Ensembl",
        "find its gene with --dbfrom gene --query '{word}'",
    ),
    _kind(
        r"""  [A-Z]{2}_(?:[A-Z]{2,6})?\d+(?:\.\d+)?       # RefSeq: NM_000546.6, NZ_CP012345
            | [A-Z]\d{5}(?:\.\d+)? | [A-Z]{2}\d{6}(?:\d{2})?(?:\.\d+)?   # GenBank
            | [A-Z]{3}\d{5}(?:\d{2})?(?:\.\d+)?           # GenBank, protein
            | [A-Z]{4,6}\d{8,}(?:\.\d+)?                  # WGS
            | [OPQ]\d[A-Z\d]{3}\d(?:\.\d+)? | [A-NR-Z]\d(?:[A-Z][A-Z\d]{2}\d){1,2}(?:\.\d+)?""",
        "an accession",
        "ask with --dbfrom nuccore or protein, and --idtype acc",
        sequence=True,
    ),
)
"""Kinds in the order in which they are tried."""


def find_kind(word: str) -> Kind | None:
    """Return the kind of identifier that a word is, or None."""
    return next((kind for kind in _KINDS if kind.pattern.fullmatch(word)), None)


def describe(word: str, dbfrom: str) -> str:
    """Return what a word is and how to find its UID; an empty text if unknown.

    Args:
        word: a word that is not a UID of `dbfrom`.
        dbfrom: database of the job.

    Example:
        >>> describe("GSE12345", "gds")
        "this is an accession of GEO: find its UID with --dbfrom gds --query 'GSE12345[accn]'"
    """
    kind = find_kind(word)
    if kind is None:
        if dbfrom == "gene" and _SYMBOL.fullmatch(word):
            return (
                f"if this is a gene symbol, find its UID with --query '{word}[sym] AND human[orgn]'"
            )
        return ""
    if kind.sequence and dbfrom in SEQUENCES:
        return f"this is {kind.name}: add --idtype acc"
    bare = printable(_DOI_PREFIX.sub("", word), 80)
    return f"this is {kind.name}: {kind.remedy.format(word=bare, database=kind.database)}"
