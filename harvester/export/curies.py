"""Names of records and relations in other tools: CURIEs, IRIs, Biolink, CiTO.

A UID is the public identifier of a record only in some databases. In the others it is an internal
number: the UID of a MeSH term is not its D-number, that of a sequence is not its accession.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyarrow as pa

from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Kind:
    """The records of one database.

    Attributes:
        category: class of the Biolink model 4.4.
        curie: prefix of the UID in a CURIE of Biolink or Bioregistry; empty if the UID is no
            public identifier.
        iri: its prefix in an IRI of identifiers.org; empty without one.
    """

    category: str
    curie: str = ""
    iri: str = ""


_IDENTIFIERS = "https://identifiers.org/"

KINDS: Mapping[str, Kind] = {
    "pubmed": Kind("Article", "PMID:", f"{_IDENTIFIERS}pubmed:"),
    # Biolink's PMC expands to europepmc.org/articles/PMC + digits; identifiers.org wants PMC first.
    "pmc": Kind("Article", "PMC:", f"{_IDENTIFIERS}pmc:PMC"),
    "gene": Kind("Gene", "NCBIGene:", f"{_IDENTIFIERS}ncbigene:"),
    "taxonomy": Kind("OrganismTaxon", "NCBITaxon:", f"{_IDENTIFIERS}taxonomy:"),
    "snp": Kind("SequenceVariant", "DBSNP:rs", f"{_IDENTIFIERS}dbsnp:rs"),
    "omim": Kind("NamedThing", "OMIM:", f"{_IDENTIFIERS}mim:"),
    "pccompound": Kind("ChemicalEntity", "PUBCHEM.COMPOUND:", f"{_IDENTIFIERS}pubchem.compound:"),
    "pcsubstance": Kind(
        "ChemicalEntity", "PUBCHEM.SUBSTANCE:", f"{_IDENTIFIERS}pubchem.substance:"
    ),
    "pcassay": Kind("NamedThing", "pubchem.bioassay:", f"{_IDENTIFIERS}pubchem.bioassay:"),
    "clinvar": Kind("SequenceVariant", "CLINVAR:", f"{_IDENTIFIERS}clinvar:"),
    "medgen": Kind("DiseaseOrPhenotypicFeature", "medgen:"),
    "protein": Kind("Protein"),
    "nuccore": Kind("NucleicAcidEntity"),
    "genome": Kind("Genome"),
    "assembly": Kind("Genome"),
    "biosample": Kind("MaterialSample"),
    "bioproject": Kind("Study"),
    "gds": Kind("Dataset"),
    "sra": Kind("Dataset"),
    "books": Kind("Publication"),
    "nlmcatalog": Kind("Publication"),
}
"""Database → its records; the others are `NamedThing`s without public identifiers."""

_ACCESSIONS = {"protein": "ncbiprotein:", "nuccore": "nuccore:"}
"""Database → prefix of its accessions, in CURIEs and at identifiers.org."""

RELATED, UNKNOWN = "related_to_at_instance_level", "not_provided"


@dataclass(frozen=True, slots=True)
class Relation:
    """The links of one linkname, in terms of the Biolink model."""

    predicate: str = RELATED
    knowledge_level: str = UNKNOWN
    agent_type: str = UNKNOWN


_SIMILAR = Relation("similar_to", "prediction", "data_analysis_pipeline")
_MENTIONS, _IN_TAXON = Relation("mentions"), Relation("in_taxon")
_PRODUCT = Relation("has_gene_product")

RELATIONS: Mapping[str, Relation] = {
    "pubmed_pubmed": _SIMILAR,
    "pubmed_pubmed_five": _SIMILAR,
    "pubmed_pubmed_reviews": _SIMILAR,
    "pubmed_pubmed_reviews_five": _SIMILAR,
    "pubmed_gene": _MENTIONS,
    "pubmed_gene_rif": _MENTIONS,
    "pubmed_medgen": _MENTIONS,
    "pmc_gene": _MENTIONS,
    "pmc_medgen": _MENTIONS,
    "gene_taxonomy": _IN_TAXON,
    "protein_taxonomy": _IN_TAXON,
    "nuccore_taxonomy": _IN_TAXON,
    "gene_protein": _PRODUCT,
    "gene_protein_refseq": _PRODUCT,
}
"""Linkname → relation, where Biolink has an exact predicate. It has none for citations. NCBI does
not say how most links were made, so knowledge level and agent are `not_provided`."""

_CITO = "http://purl.org/spar/cito/"
_LINKNAMES = "https://eutils.ncbi.nlm.nih.gov/entrez/query/static/entrezlinks.html#"
"""NCBI's page that describes each linkname."""

CITATIONS: Mapping[str, str] = {
    "pubmed_pubmed_refs": f"{_CITO}cites",
    "pubmed_pubmed_citedin": f"{_CITO}isCitedBy",
    "pubmed_pmc_refs": f"{_CITO}isCitedBy",
    "pmc_refs_pubmed": f"{_CITO}cites",
}
"""Linkname → property of CiTO: `refs` of an article are what it cites; `pubmed_pmc_refs` are the
articles in PMC that cite it."""


def category(db: str) -> str:
    """Return the Biolink category of the records of a database, as a CURIE."""
    return f"biolink:{KINDS.get(answer_name(db), Kind('NamedThing')).category}"


def relation(linkname: str) -> Relation:
    """Return the Biolink relation of the links of a linkname."""
    return RELATIONS.get(linkname, Relation())


def property_iri(linkname: str) -> str:
    """Return the RDF property of a linkname."""
    return CITATIONS.get(linkname, _LINKNAMES + quote(linkname, safe=""))


def curies(db: pa.DictionaryArray, uids: pa.Array) -> pa.Array:
    """Return the CURIEs of records; `ncbi.DB.uid:UID` where a UID is no public identifier."""
    return _named(db, uids, _curie_prefix)


def iris(db: pa.DictionaryArray, uids: pa.Array) -> pa.Array:
    """Return the IRIs of records: at identifiers.org, or NCBI's own address of the record."""
    return _named(db, uids, _iri_prefix)


def _curie_prefix(db: str, of_accessions: bool) -> str:
    if of_accessions:
        return _ACCESSIONS.get(db, f"ncbi.{db}.acc:")
    return KINDS.get(db, Kind("")).curie or f"ncbi.{db}.uid:"


def _iri_prefix(db: str, of_accessions: bool) -> str:
    if of_accessions and db in _ACCESSIONS:
        return _IDENTIFIERS + _ACCESSIONS[db]
    at_ncbi = f"https://www.ncbi.nlm.nih.gov/{quote(db, safe='')}/"
    return at_ncbi if of_accessions else KINDS.get(db, Kind("")).iri or at_ncbi


def _named(db: pa.DictionaryArray, uids: pa.Array, prefix: Callable[[str, bool], str]) -> pa.Array:
    of_accessions = pa.types.is_string(uids.type)
    if of_accessions:
        encoded = uids.dictionary_encode()
        safe = [quote(text, safe="") for text in encoded.dictionary.to_pylist()]
        uids = pa.array(safe, pa.string()).take(encoded.indices)
    names = [prefix(answer_name(name), of_accessions) for name in db.dictionary.to_pylist()]
    prefixes = pa.array(names, pa.string()).take(db.indices)
    return pc.binary_join_element_wise(prefixes, uids.cast(pa.string()), "")
