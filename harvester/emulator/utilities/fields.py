"""Search fields: those that EInfo lists, and other names that ESearch accepts."""

from __future__ import annotations

PUBMED = (
    ("ALL", "All Fields"), ("UID", "UID"), ("FILT", "Filter"), ("TITL", "Title"),
    ("MESH", "MeSH Terms"), ("MAJR", "MeSH Major Topic"), ("JOUR", "Journal"),
    ("AFFL", "Affiliation"), ("ECNO", "EC/RN Number"), ("SUBS", "Supplementary Concept"),
    ("PDAT", "Date - Publication"), ("EDAT", "Date - Entry"), ("VOL", "Volume"),
    ("PAGE", "Pagination"), ("PTYP", "Publication Type"), ("LANG", "Language"), ("ISS", "Issue"),
    ("SUBH", "MeSH Subheading"), ("SI", "Secondary Source ID"), ("MHDA", "Date - MeSH"),
    ("TIAB", "Title/Abstract"), ("OTRM", "Other Term"), ("COLN", "Author - Corporate"),
    ("CNTY", "Place of Publication"), ("PAPX", "Pharmacological Action"),
    ("GRNT", "Grants and Funding"), ("MDAT", "Date - Modification"),
    ("CDAT", "Date - Completion"), ("PID", "Publisher ID"), ("FAUT", "Author - First"),
    ("FULL", "Author"), ("FINV", "Investigator"), ("TT", "Transliterated Title"),
    ("LAUT", "Author - Last"), ("PPDT", "Print Publication Date"),
    ("EPDT", "Electronic Publication Date"), ("LID", "Location ID"), ("CRDT", "Date - Create"),
    ("BOOK", "Book"), ("ED", "Editor"), ("ISBN", "ISBN"), ("PUBN", "Publisher"),
    ("AUCL", "Author Cluster ID"), ("EID", "Extended PMID"), ("DSO", "DSO"),
    ("AUID", "Author - Identifier"), ("PS", "Subject - Personal Name"),
    ("COIS", "Conflict of Interest Statements"), ("WORD", "Text Word"),
)  # fmt: skip
"""Names and full names that EInfo listed for PubMed on 2025-11-27."""

GENERAL = (
    ("ALL", "All Fields"), ("UID", "UID"), ("FILT", "Filter"), ("TITL", "Title"),
    ("WORD", "Text Word"), ("ORGN", "Organism"), ("PROP", "Properties"),
    ("ACCN", "Accession"), ("PDAT", "Publication Date"), ("MDAT", "Modification Date"),
)  # fmt: skip
"""Fields that EInfo lists for every other database."""

PMC = (("GRNT", "Grant Number"),)
"""A field of PMC that clients look for (rentrez's tests)."""

DATES = {"pdat", "edat", "mhda", "mdat", "cdat", "ppdt", "epdt", "crdt"}
"""Fields of dates, by lower-case name."""

_OTHER = """
    ab abbreviation accession accn action ad affiliation affl aid all allele asac assembly au
    aucl auid author base bioproject biosample book bpos breed caccn cdat chr chromosome chrpos
    class clin clinical cn cntg cnty cois coln common comn completion contig corporate count
    country cpos crdt create cultivar date dcom dis disease division dp dso ecno ectn ed edat
    eid ename entrez entry epdt etyp exon fau faut feature filt filter finv first_author fkey
    frequency full function fxn gdsc gene genome glen global gmaf go goid gr grants grnt id ids
    ip ir is isbn isolate issn issue ja jid jour journal key keyword kywd la language last
    lastau laut layout length level lib library lid lineage lr ls major majr mdat mesh mh mhda
    mi mim minor mj mlwt modification molecular molecule mutation name next nm nucleotide number
    nxlv ontology organism orgn ot other pa pacc page pagination papx pdat pfn pg
    pharmacological phenotype pid pl place plat platform pmid porgn position ppub pref preferred
    primary prop properties prot protein ps pt ptyp publication pubn rank rn rnk rs sb
    scientific scin sequence sh si significance slen snp_id source status strain strategy strn
    study subh submitter subs subset substance sym symbol ta taxid taxonomy term terms text ti
    tiab tid titl title title/abstract topic tt tw txid txsynonyms type udat uid unparsed update
    validation vers version vi volume weight word words
"""

_PHRASES = (
    "first author", "last author", "journal title abbreviation", "mesh terms", "other term",
    "place of publication", "pharmacological action", "publication type", "text words",
    "publication date", "date - publication", "create date", "completion date", "entrez date",
    "primary accession", "clinical significance", "ec/rn number", "exon count", "feature key",
    "gene name", "gene full name", "disease/phenotype", "genome length", "gene ontology",
    "library strategy", "molecular weight", "modification date", "molecule type",
    "nucleotide accession", "primary organism", "organism unparsed", "taxonomy id",
    "preferred symbol", "protein accession", "protein name", "protein full name",
    "scientific name", "common name", "next level", "study type", "substance name",
    "sequence length", "base position", "function class", "global minor allele frequency",
    "update date", "validation status", "entry type", "full text", "mesh major topic",
)  # fmt: skip

KNOWN = frozenset(
    [*_OTHER.split(), *_PHRASES] + [name.lower() for field in (*PUBMED, *GENERAL) for name in field]
)
"""Every field name that is accepted, in lower case, whatever the database."""


def is_known(field: str) -> bool:
    """Return whether a search field exists; suffixes such as `mh:noexp` are ignored."""
    return field.lower().partition(":")[0].strip() in KNOWN


def listed(db: str) -> list[tuple[str, str, bool]]:
    """Return the fields that EInfo lists: name, full name, whether it holds dates."""
    fields = PUBMED if db == "pubmed" else GENERAL + (PMC if db == "pmc" else ())
    return [(name, full, name.lower() in DATES) for name, full in fields]
