"""Databases and linknames that NCBI is known to have: they are not looked up in EInfo.

Sources: EInfo's list of databases and of pubmed's links of 2025-11-27, protein's links of
2024-04-11, and linknames in ELink answers of 2023 to 2026.
"""

from __future__ import annotations

DATABASES = frozenset(
    """annotinfo assembly biocollections bioproject biosample blastdbinfo books cdd clinvar dbvar
    gap gapplus gds gene genome geoprofiles grasp gtr ipg medgen mesh nlmcatalog nuccore nucleotide
    omim orgtrack pcassay pccompound pcsubstance pmc protein proteinclusters protfam pubmed
    seqannot snp sra structure taxonomy""".split()  # noqa: SIM905 - forty lines otherwise
)
"""Names of databases."""

_SUFFIXES = {
    "pubmed": """assembly bioproject biosample biosystems books_refs cdd clinvar clinvar_calculated
        dbvar gap gds gene gene_bookrecords gene_citedinomim gene_pmc_nucleotide gene_rif genome
        geoprofiles homologene medgen medgen_bookshelf_cited medgen_genereviews medgen_omim nuccore
        nuccore_refseq nuccore_weighted omim_bookrecords omim_calculated omim_cited pcassay
        pccompound pccompound_mesh pccompound_publisher pcsubstance pcsubstance_bookrecords
        pcsubstance_publisher pmc pmc_bookrecords pmc_embargo pmc_local pmc_refs popset probe
        protein protein_refseq protein_weighted proteinclusters protfam pubmed pubmed_alsoviewed
        pubmed_bookrecords pubmed_refs snp snp_cited sra structure taxonomy_entrez""",
    "protein": """bioproject biosystems cdd cdd_concise_2 gene genome nuccore nuccore_mrna
        nuccore_wgs omim pccompound pcsubstance pmc protein protein_cdart_summary
        protein_small_genome proteinclusters protfam pubmed pubmed_refseq pubmed_weighted snp
        structure structure_direct structure_related taxonomy""",
    "nuccore": """gene nuccore_assembly_comp nuccore_comp nuccore_mrna nuccore_mrnaonly
        nuccore_related nuccore_small_genome protein pubmed taxonomy""",
    "gene": "omim protein pubmed pubmed_rif snp taxonomy",
    "bioproject": "assembly assembly_all biosample gds sra sra_all",
    "biosample": "bioproject bioproject_all bioproject_sp",
    "sra": "bioproject bioproject_all",
    "taxonomy": "nucleotide_exp",
    "snp": "clinvar",
    "pmc": "pubmed",
}

LINKNAMES = frozenset(
    f"{dbfrom}_{suffix}" for dbfrom, suffixes in _SUFFIXES.items() for suffix in suffixes.split()
)
"""Names of links."""

UNLISTED = frozenset(
    f"pubmed_pubmed_{suffix}"
    for suffix in ("citedin", "combined", "five", "reviews", "reviews_five")
)
"""Names of links in ELink's answers that EInfo did not list on 2025-11-27."""
