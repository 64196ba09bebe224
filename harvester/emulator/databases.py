"""The databases of Entrez: their names as EInfo listed them on 2025-11-27, and their aliases."""

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
"""Databases that know accessions (NBK25499, idtype), each with a prefix of its accessions."""

_ALIASES = {"nucleotide": "nuccore"}


def canonical(db: str) -> str:
    """The name that answers carry: a request for `nucleotide` is answered by `nuccore`."""
    return _ALIASES.get(db, db)
