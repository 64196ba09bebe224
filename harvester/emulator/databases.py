"""Databases of Entrez: their names as EInfo listed them on 2025-11-27, and their aliases."""

from __future__ import annotations

DATABASES = (
    "pubmed",
    "protein",
    "nuccore",
    "ipg",
    "nucleotide",
    "structure",
    "genome",
    "annotinfo",
    "assembly",
    "bioproject",
    "biosample",
    "blastdbinfo",
    "books",
    "cdd",
    "clinvar",
    "gap",
    "gapplus",
    "grasp",
    "dbvar",
    "gene",
    "gds",
    "geoprofiles",
    "medgen",
    "mesh",
    "nlmcatalog",
    "omim",
    "orgtrack",
    "pmc",
    "proteinclusters",
    "pcassay",
    "protfam",
    "pccompound",
    "pcsubstance",
    "seqannot",
    "snp",
    "sra",
    "taxonomy",
    "biocollections",
    "gtr",
)

SEQUENCES = {"nuccore": "NM_", "protein": "NP_", "popset": "AF_"}
"""Databases with accessions (NBK25499, idtype), each with the prefix of generated accessions."""

_ALIASES = {"nucleotide": "nuccore"}


def canonical(db: str) -> str:
    """Return the name used in answers: NCBI answers a request for `nucleotide` with `nuccore`."""
    return _ALIASES.get(db, db)
