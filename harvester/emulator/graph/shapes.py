"""Families of the seeded graph: linknames, share of linked records, numbers of links."""

from __future__ import annotations

from dataclasses import dataclass

LINKED = 2 / 3
"""Default share of records with links in a family."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Distribution of the links of one family.

    Attributes:
        dbto: database of the linked records.
        linkname: name of the family.
        most: maximum links per record (up to 512).
        least: minimum links per linked record.
        share: share of records with links in this family.
        ranked: ordered by relevance, the record itself first.
        like: linkname of the family of which these are the first links.
        listed: whether EInfo lists it.
    """

    dbto: str
    linkname: str
    most: int = 8
    least: int = 1
    share: float = LINKED
    ranked: bool = False
    like: str = ""
    listed: bool = True


SIZES = {
    "pubmed": 41_000_000,
    "pmc": 12_500_000,
    "gene": 139_000_000,
    "protein": 2_900_000_000,
    "nuccore": 3_100_000_000,
    "structure": 250_000,
    "taxonomy": 3_500_000,
    "snp": 2_200_000_000,
    "sra": 42_000_000,
    "pcsubstance": 520_000_000,
    "pccompound": 178_000_000,
    "omim": 620_000,
    "mesh": 68_800_000,
    "nlmcatalog": 101_900_000,
    "gds": 303_000_000,
    "geoprofiles": 135_000_000,
    "biosample": 55_000_000,
    "assembly": 45_000_000,
    "books": 7_500_000,
}
"""Largest UID per database; those of nuccore, protein and snp exceed 2**31, as at NCBI."""

DEFAULT_SIZE = 5_000_000

SHAPES = {
    "pubmed": (
        Shape("gene", "pubmed_gene", 5, share=0.4),
        Shape("gene", "pubmed_gene_rif", 3, share=0.2),
        Shape("nuccore", "pubmed_nuccore", 12, share=0.1),
        Shape("pmc", "pubmed_pmc", 1, share=0.3),
        Shape("pmc", "pubmed_pmc_local", 1, share=0.3),
        Shape("pmc", "pubmed_pmc_refs", 40),
        Shape("protein", "pubmed_protein", 12, share=0.1),
        Shape("pubmed", "pubmed_pubmed", 150, 20, 1.0, ranked=True),
        Shape("pubmed", "pubmed_pubmed_alsoviewed", 4, share=0.3),
        Shape("pubmed", "pubmed_pubmed_citedin", 40, listed=False),
        Shape("pubmed", "pubmed_pubmed_combined", 6, 6, 1.0, True, "pubmed_pubmed", listed=False),
        Shape("pubmed", "pubmed_pubmed_five", 6, 6, 1.0, True, "pubmed_pubmed", listed=False),
        Shape("pubmed", "pubmed_pubmed_refs", 56),
        Shape("pubmed", "pubmed_pubmed_reviews", 12, 6, 1.0, ranked=True, listed=False),
        Shape(
            "pubmed",
            "pubmed_pubmed_reviews_five",
            6,
            6,
            1.0,
            True,
            "pubmed_pubmed_reviews",
            listed=False,
        ),
        Shape("snp", "pubmed_snp_cited", 6, share=0.05),
        Shape("structure", "pubmed_structure", 3, share=0.05),
        Shape("taxonomy", "pubmed_taxonomy_entrez", 4, share=0.3),
    ),
    "pmc": (
        Shape("pmc", "pmc_pmc_cites", 30),
        Shape("pubmed", "pmc_pubmed", 1, share=0.9),
        Shape("pubmed", "pmc_refs_pubmed", 60),
    ),
    "gene": (
        Shape("gene", "gene_gene_neighbors", 20),
        Shape("nuccore", "gene_nuccore", 60),
        Shape("omim", "gene_omim", 3, share=0.2),
        Shape("protein", "gene_protein", 40),
        Shape("pubmed", "gene_pubmed", 120),
        Shape("pubmed", "gene_pubmed_rif", 90),
        Shape("snp", "gene_snp", 512),
        Shape("taxonomy", "gene_taxonomy", 1, share=1.0),
    ),
    "protein": (
        Shape("cdd", "protein_cdd", 6),
        Shape("gene", "protein_gene", 1),
        Shape("nuccore", "protein_nuccore", 3),
        Shape("protein", "protein_protein", 120, 5, 1.0, ranked=True),
        Shape("pubmed", "protein_pubmed", 8),
        Shape("pubmed", "protein_pubmed_refseq", 8, share=0.3),
        Shape("structure", "protein_structure", 5),
        Shape("taxonomy", "protein_taxonomy", 1, share=1.0),
    ),
    "nuccore": (
        Shape("gene", "nuccore_gene", 4),
        Shape("nuccore", "nuccore_nuccore_comp", 12, share=0.2),
        Shape("nuccore", "nuccore_nuccore_mrna", 400, share=0.2),
        Shape("protein", "nuccore_protein", 20),
        Shape("pubmed", "nuccore_pubmed", 6),
        Shape("taxonomy", "nuccore_taxonomy", 1, share=1.0),
    ),
    "structure": (
        Shape("protein", "structure_protein", 8),
        Shape("pubmed", "structure_pubmed", 2),
        Shape("taxonomy", "structure_taxonomy", 2, share=0.95),
    ),
    "taxonomy": (
        Shape("genome", "taxonomy_genome", 2, share=0.2),
        Shape("nuccore", "taxonomy_nucleotide_exp", 200),
        Shape("protein", "taxonomy_protein_exp", 200),
        Shape("pubmed", "taxonomy_pubmed_entrez", 60, share=0.3),
    ),
    "snp": (
        Shape("clinvar", "snp_clinvar", 2, share=0.2),
        Shape("gene", "snp_gene", 2),
        Shape("pubmed", "snp_pubmed_cited", 4, share=0.1),
    ),
    "bioproject": (
        Shape("assembly", "bioproject_assembly", 20),
        Shape("biosample", "bioproject_biosample", 200),
        Shape("gds", "bioproject_gds", 2, share=0.3),
        Shape("sra", "bioproject_sra", 100),
        Shape("sra", "bioproject_sra_all", 100),
    ),
    "biosample": (
        Shape("bioproject", "biosample_bioproject", 2),
        Shape("bioproject", "biosample_bioproject_all", 3),
        Shape("sra", "biosample_sra", 10),
        Shape("taxonomy", "biosample_taxonomy", 1, share=1.0),
    ),
    "sra": (
        Shape("bioproject", "sra_bioproject", 1, share=0.9),
        Shape("bioproject", "sra_bioproject_all", 2, share=0.9),
        Shape("biosample", "sra_biosample", 1, share=0.9),
    ),
}
"""Families by dbfrom, in the order of answers: by dbto, then linkname (recorded answers)."""

USUAL_TARGETS = ("gene", "nuccore", "protein", "pubmed", "taxonomy")
"""Target databases of a database without an entry in SHAPES, for `db=all`."""


def shapes(dbfrom: str, db: str | None = None) -> tuple[Shape, ...]:
    """Return the families from one database to another, or to all (None).

    A pair without an entry gets one family, `{dbfrom}_{db}`.
    """
    own = SHAPES.get(dbfrom, ())
    if db is None:
        return own or tuple(Shape(to, f"{dbfrom}_{to}") for to in USUAL_TARGETS if to != dbfrom)
    return tuple(shape for shape in own if shape.dbto == db) or (Shape(db, f"{dbfrom}_{db}"),)
