"""Taxonomy: TaxaSet and text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.records.content import taxon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.records.content import Record

_PROLOG = (
    '<?xml version="1.0" ?>\n<!DOCTYPE TaxaSet PUBLIC "-//NLM//DTD Taxon, 14th January 2002//EN" '
    '"https://www.ncbi.nlm.nih.gov/entrez/query/DTD/taxon.dtd">\n'
)


def taxonomy_xml(records: Sequence[Record]) -> str:
    """Return a TaxaSet with the elements of a recorded answer of 2025."""
    return f"{_PROLOG}<TaxaSet>{''.join(map(_taxon, records))}</TaxaSet>\n"


def _taxon(record: Record) -> str:
    species = taxon(record.uid)
    above = "".join(
        "        <Taxon>\n"
        f"            <TaxId>{131_567 + place}</TaxId>\n"
        f"            <ScientificName>{name}</ScientificName>\n"
        "            <Rank>clade</Rank>\n        </Taxon>\n"
        for place, name in enumerate(species.lineage)
    )
    return (
        f"<Taxon>\n    <TaxId>{record.uid}</TaxId>\n"
        f"    <ScientificName>{species.name}</ScientificName>\n    <OtherNames>\n"
        f"        <GenbankCommonName>{species.common}</GenbankCommonName>\n    </OtherNames>\n"
        f"    <ParentTaxId>{131_567 + len(species.lineage) - 1}</ParentTaxId>\n"
        "    <Rank>species</Rank>\n    <Division>Examples</Division>\n"
        "    <GeneticCode>\n        <GCId>1</GCId>\n        <GCName>Standard</GCName>\n"
        "    </GeneticCode>\n    <MitoGeneticCode>\n        <MGCId>2</MGCId>\n"
        "        <MGCName>Vertebrate Mitochondrial</MGCName>\n    </MitoGeneticCode>\n"
        f"    <Lineage>{'; '.join(species.lineage)}</Lineage>\n"
        f"    <LineageEx>\n{above}    </LineageEx>\n"
        "    <CreateDate>1995/02/27 09:24:00</CreateDate>\n"
        "    <UpdateDate>2025/01/15 09:24:00</UpdateDate>\n"
        "    <PubDate>1993/07/26 01:00:00</PubDate>\n</Taxon>\n"
    )


def taxonomy_text(records: Sequence[Record]) -> str:
    """Return a numbered text."""
    return "\n".join(
        f"{number}. {taxon(record.uid).name}\n    ({taxon(record.uid).common}), species, examples\n"
        for number, record in enumerate(records, 1)
    )
