"""Databases of Entrez: their names as EInfo listed them on 2025-11-27, aliases, accessions."""

from __future__ import annotations

import re

DATABASES = (
    "pubmed", "protein", "nuccore", "ipg", "nucleotide", "structure", "genome", "annotinfo",
    "assembly", "bioproject", "biosample", "blastdbinfo", "books", "cdd", "clinvar", "gap",
    "gapplus", "grasp", "dbvar", "gene", "gds", "geoprofiles", "medgen", "mesh", "nlmcatalog",
    "omim", "orgtrack", "pmc", "proteinclusters", "pcassay", "protfam", "pccompound",
    "pcsubstance", "seqannot", "snp", "sra", "taxonomy", "biocollections", "gtr",
)  # fmt: skip

SEQUENCES = {"nuccore": "NM_", "protein": "NP_", "popset": "AF_"}
"""Databases with accessions (NBK25499, idtype), each with the prefix of generated accessions."""

ACCESSION = re.compile(
    r"[A-Z]{1,6}_?\d+(?:\.\d+)?"  # RefSeq and GenBank: NM_000546.6, U49845
    r"|(?:[OPQ]\d[A-Z\d]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z\d]{2}\d){1,2})(?:\.\d+)?"  # UniProt: Q9Y6K9
    r"|\d[A-Z\d]{3}_[A-Za-z\d]{1,4}",  # chains of PDB: 1TUP_A
    re.ASCII,
)
"""Accessions that the sequence databases accept."""

_ALIASES = {"nucleotide": "nuccore"}


def canonical(db: str) -> str:
    """Return the name used in answers: NCBI answers a request for `nucleotide` with `nuccore`."""
    return _ALIASES.get(db, db)
