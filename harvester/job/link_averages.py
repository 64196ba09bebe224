"""Built-in averages: how many links a UID has, per linkname. Rough: a probe measures them.

Each row names its source. Most samples hold only UIDs that have such links, and most are small, so
an average is only an order of magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.job.databases import answer_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.job.link import Link

_RECORDED = "mean of recorded ELink answers, 2013 to 2025, n ="
_CITATIONS = "real citations among 19,717 articles on diabetes (LINQS Pubmed-Diabetes)"
_TRRUST = "real literature links of 2,845 genes (TRRUST v2)"


@dataclass(frozen=True, slots=True)
class Average:
    """Mean number of links of one linkname.

    Attributes:
        links: per UID.
        source: origin of the number.
    """

    links: float
    source: str


AVERAGES: Mapping[str, Average] = {
    "pubmed_pmc": Average(0.3, "PMC has about 11 of PubMed's 38 million articles (2025)"),
    "pmc_pubmed": Average(1.0, "nearly every article of PMC is in PubMed"),
    "pubmed_pmc_local": Average(0.3, "as pubmed_pmc"),
    "pubmed_pmc_refs": Average(8.4, f"as pubmed_pubmed_citedin ({_RECORDED} 5)"),
    "pubmed_pubmed": Average(77.3, f"{_RECORDED} 7"),
    "pubmed_pubmed_citedin": Average(8.4, f"{_RECORDED} 5"),
    "pubmed_pubmed_refs": Average(11.4, f"{_CITATIONS}; 3,878 of them cite others"),
    "pubmed_pubmed_combined": Average(4.4, f"{_RECORDED} 5"),
    "pubmed_pubmed_five": Average(6.0, f"{_RECORDED} 3; the article and its five nearest"),
    "pubmed_pubmed_reviews": Average(5.0, f"{_RECORDED} 3"),
    "pubmed_pubmed_reviews_five": Average(3.3, f"{_RECORDED} 3"),
    "pubmed_pubmed_alsoviewed": Average(1.0, f"{_RECORDED} 2"),
    "gene_pubmed": Average(6.2, _TRRUST),
    "pubmed_gene": Average(2.7, f"{_TRRUST}, seen from their 6,562 articles"),
    "protein_gene": Average(1.0, f"{_RECORDED} 7"),
    "protein_nuccore": Average(1.0, f"{_RECORDED} 1"),
    "protein_protein": Average(6.0, f"{_RECORDED} 2"),
    "protein_pubmed": Average(1.2, f"{_RECORDED} 5"),
    "protein_pubmed_refseq": Average(1.0, f"{_RECORDED} 2"),
    "protein_taxonomy": Average(1.0, "a sequence has one taxon"),
    "nuccore_taxonomy": Average(1.0, "a sequence has one taxon"),
    "bioproject_assembly": Average(1.0, f"{_RECORDED} 1"),
    "sra_bioproject": Average(1.0, f"{_RECORDED} 1"),
}
"""Linkname → average."""


def averages_of(link: Link) -> dict[str, Average]:
    """Return the averages of the linknames that a job requests, as far as they are known.

    Returns:
        Linkname → average; empty if a linkname of the job is not known, or if the job requests all
        links of a database.
    """
    if not link.leads_to_records:
        return {}
    begin = answer_name(link.dbfrom)
    if link.linkname:
        known = all(name in AVERAGES for name in link.linkname)
        return {name: AVERAGES[name] for name in link.linkname} if known else {}
    if "all" in link.db:
        return {}
    stems = {f"{begin}_{answer_name(db)}" for db in link.db}
    if not stems <= AVERAGES.keys():
        return {}
    return {
        name: average
        for name, average in AVERAGES.items()
        if any(name == stem or name.startswith(f"{stem}_") for stem in stems)
    }
