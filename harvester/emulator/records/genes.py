"""Genes: Entrezgene-Set and the numbered text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.records.content import Record

_PROLOG = (
    '<?xml version="1.0" ?>\n<!DOCTYPE Entrezgene-Set PUBLIC '
    '"-//NLM//DTD NCBI-Entrezgene, 21st January 2005//EN" '
    '"https://www.ncbi.nlm.nih.gov/data_specs/dtd/NCBI_Entrezgene.dtd">\n'
)


def gene_xml(records: Sequence[Record]) -> str:
    """Return an Entrezgene-Set that is valid by its DTD."""
    return f"{_PROLOG}<Entrezgene-Set>\n{''.join(map(_gene, records))}</Entrezgene-Set>\n"


def _gene(record: Record) -> str:
    species = record.species
    return (
        "<Entrezgene>\n<Entrezgene_track-info><Gene-track>"
        f"<Gene-track_geneid>{record.uid}</Gene-track_geneid>"
        '<Gene-track_status value="live">0</Gene-track_status>'
        f"<Gene-track_create-date>{_date(record)}</Gene-track_create-date>"
        f"<Gene-track_update-date>{_date(record)}</Gene-track_update-date>"
        "</Gene-track></Entrezgene_track-info>\n"
        '<Entrezgene_type value="protein-coding">6</Entrezgene_type>\n'
        '<Entrezgene_source><BioSource><BioSource_genome value="genomic">1</BioSource_genome>'
        '<BioSource_origin value="natural">1</BioSource_origin><BioSource_org><Org-ref>'
        f"<Org-ref_taxname>{species.name}</Org-ref_taxname>"
        f"<Org-ref_common>{species.common}</Org-ref_common><Org-ref_db><Dbtag>"
        "<Dbtag_db>taxon</Dbtag_db><Dbtag_tag><Object-id>"
        f"<Object-id_id>{species.taxid}</Object-id_id></Object-id></Dbtag_tag></Dbtag>"
        "</Org-ref_db></Org-ref></BioSource_org></BioSource></Entrezgene_source>\n"
        f"<Entrezgene_gene><Gene-ref><Gene-ref_locus>{record.symbol}</Gene-ref_locus>"
        f"<Gene-ref_desc>{record.title}</Gene-ref_desc>"
        f"<Gene-ref_maploc>{record.chromosome}q1</Gene-ref_maploc></Gene-ref></Entrezgene_gene>\n"
        f"<Entrezgene_summary>Summary of gene {record.uid}.</Entrezgene_summary>\n"
        "</Entrezgene>\n"
    )


def _date(record: Record) -> str:
    return (
        "<Date><Date_std><Date-std>"
        f"<Date-std_year>{record.year}</Date-std_year><Date-std_month>1</Date-std_month>"
        "<Date-std_day>15</Date-std_day></Date-std></Date_std></Date>"
    )


def gene_text(records: Sequence[Record]) -> str:
    """Return the numbered text that EFetch gives for text and for JSON (recorded in 2023)."""
    return "\n".join(
        f"{number}. {record.symbol}\nOfficial Symbol: {record.symbol} and Name: {record.title}"
        f" [{record.species.name} ({record.species.common})]\n"
        f"Chromosome: {record.chromosome}; Location: {record.chromosome}q1\nID: {record.uid}\n"
        for number, record in enumerate(records, 1)
    )
