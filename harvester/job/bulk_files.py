"""Files in which NCBI or NIH publish links in bulk: one table, a row per file.

A file is one download; a harvest sends requests for all UIDs. If a file has the links of a job, it
is faster, and saves load on the E-utilities. The files do not always equal ELink's links: each row
of the table describes its file.

Sources: the READMEs of ftp.ncbi.nlm.nih.gov (gene/README of 2025-01, pub/clinvar/README of 2020-02,
pub/taxonomy, pub/pmc, pub/medgen, pubchem/Compound/Extras), and the description of iCite's
snapshots on figshare (2025-11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.job.databases import answer_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.job.link import Link

_FTP = "https://ftp.ncbi.nlm.nih.gov/"


@dataclass(frozen=True, slots=True)
class BulkFile:
    """One file, and the links that it holds.

    Attributes:
        name: name of the file.
        url: its address.
        why: its content, as a sentence.
        pairs: databases whose links it holds, in both directions.
        linknames: the only linknames it holds; all links between the pairs, if empty.
    """

    name: str
    url: str
    why: str
    pairs: tuple[tuple[str, str], ...]
    linknames: frozenset[str] = frozenset()


BULK_FILES: Sequence[BulkFile] = (
    BulkFile(
        "gene2pubmed.gz",
        f"{_FTP}gene/DATA/gene2pubmed.gz",
        "All pairs of GeneID and PMID, updated daily.",
        (("gene", "pubmed"),),
        frozenset({"gene_pubmed", "pubmed_gene"}),
    ),
    BulkFile(
        "generifs_basic.gz",
        f"{_FTP}gene/GeneRIF/generifs_basic.gz",
        "The GeneRIFs of all genes with their PMIDs.",
        (("gene", "pubmed"),),
        frozenset({"gene_pubmed_rif", "pubmed_gene_rif"}),
    ),
    BulkFile(
        "gene2accession.gz",
        f"{_FTP}gene/DATA/gene2accession.gz",
        "Genes with the accessions of their nucleotide and protein records, and their taxon; "
        "gene2refseq.gz is its RefSeq part.",
        (
            ("gene", "nuccore"),
            ("gene", "protein"),
            ("gene", "taxonomy"),
        ),
    ),
    BulkFile(
        "mim2gene_medgen",
        f"{_FTP}gene/DATA/mim2gene_medgen",
        "OMIM numbers with their GeneIDs and MedGen concepts.",
        (
            ("gene", "omim"),
            ("gene", "medgen"),
            ("medgen", "omim"),
        ),
    ),
    BulkFile(
        "PMC-ids.csv.gz",
        f"{_FTP}pub/pmc/PMC-ids.csv.gz",
        "All articles of PMC with PMCID, PMID and DOI.",
        (("pubmed", "pmc"),),
        frozenset({"pubmed_pmc", "pmc_pubmed"}),
    ),
    BulkFile(
        "open_citation_collection.zip",
        "https://nih.figshare.com/collections/iCite_Database_Snapshots_NIH_Open_Citation_Collection_/4586573",
        "iCite's Open Citation Collection: pairs of citing and cited PMID, from more sources than "
        "PMC, updated monthly.",
        (
            ("pubmed", "pubmed"),
            ("pubmed", "pmc"),
        ),
        frozenset(
            {"pubmed_pubmed_refs", "pubmed_pubmed_citedin", "pubmed_pmc_refs", "pmc_refs_pubmed"}
        ),
    ),
    BulkFile(
        "var_citations.txt",
        f"{_FTP}pub/clinvar/tab_delimited/var_citations.txt",
        "ClinVar's variations with the PMIDs that cite them.",
        (("clinvar", "pubmed"),),
    ),
    BulkFile(
        "variant_summary.txt.gz",
        f"{_FTP}pub/clinvar/tab_delimited/variant_summary.txt.gz",
        "ClinVar's variations with their genes, dbSNP and dbVar numbers, and conditions.",
        (
            ("clinvar", "gene"),
            ("clinvar", "snp"),
            ("clinvar", "dbvar"),
            ("clinvar", "medgen"),
        ),
    ),
    BulkFile(
        "accession2taxid",
        f"{_FTP}pub/taxonomy/accession2taxid/",
        "Accessions of all nucleotide and protein records with their taxon.",
        (
            ("nuccore", "taxonomy"),
            ("protein", "taxonomy"),
        ),
    ),
    BulkFile(
        "taxdump.tar.gz",
        f"{_FTP}pub/taxonomy/taxdump.tar.gz",
        "The taxonomy's whole tree with names, and the articles of each taxon (citations.dmp).",
        (
            ("taxonomy", "taxonomy"),
            ("taxonomy", "pubmed"),
        ),
    ),
    BulkFile(
        "medgen_pubmed_lnk.txt.gz",
        f"{_FTP}pub/medgen/medgen_pubmed_lnk.txt.gz",
        "MedGen's concepts with their PMIDs.",
        (("medgen", "pubmed"),),
    ),
    BulkFile(
        "CID-PMID.gz",
        f"{_FTP}pubchem/Compound/Extras/CID-PMID.gz",
        "PubChem's compounds with their PMIDs.",
        (("pccompound", "pubmed"),),
    ),
    BulkFile(
        "CID-SID.gz",
        f"{_FTP}pubchem/Compound/Extras/CID-SID.gz",
        "PubChem's compounds with their substances.",
        (("pccompound", "pcsubstance"),),
    ),
    BulkFile(
        "SRA_Accessions.tab",
        f"{_FTP}sra/reports/Metadata/SRA_Accessions.tab",
        "Runs, experiments, samples and studies of SRA with their BioSample and BioProject.",
        (
            ("sra", "bioproject"),
            ("sra", "biosample"),
            ("bioproject", "biosample"),
        ),
    ),
    BulkFile(
        "assembly_summary_genbank.txt",
        f"{_FTP}genomes/genbank/assembly_summary_genbank.txt",
        "All assemblies with their BioProject, BioSample and taxon.",
        (
            ("assembly", "bioproject"),
            ("assembly", "biosample"),
            ("assembly", "taxonomy"),
        ),
    ),
)
"""The files, in the order in which a plan names them."""


def bulk_files(link: Link) -> list[BulkFile]:
    """Return the files that hold links of a job; none for cmds without links.

    Args:
        link: the links of the job. With `db=all` and no linkname, no file can replace the
            harvest, so none is returned.
    """
    if not link.leads_to_records:
        return []
    begin, wanted = answer_name(link.dbfrom), {answer_name(db) for db in link.db}
    return [file for file in BULK_FILES if _holds(file, begin, wanted, set(link.linkname))]


def _holds(file: BulkFile, begin: str, wanted: set[str], linknames: set[str]) -> bool:
    """Return whether a file holds links from one database to one of the databases wanted."""
    between = [other for pair in file.pairs for one, other in (pair, pair[::-1]) if one == begin]
    if linknames and file.linknames:
        return bool(linknames & file.linknames)
    if linknames and "all" in wanted:
        return any(name.startswith(f"{begin}_{db}") for name in linknames for db in between)
    return bool(wanted & set(between)) and "all" not in wanted
