"""Records of the other databases: BioSample, SNP, and a plain form for all that is left."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.records.content import Record

_DECLARATION = '<?xml version="1.0" ?>\n'


def uid_lines(records: Sequence[Record]) -> str:
    """Return one UID per line."""
    return "".join(f"{record.uid}\n" for record in records)


def uid_xml(records: Sequence[Record]) -> str:
    """Return an IdList."""
    ids = "".join(f"<Id>{record.uid}</Id>\n" for record in records)
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<IdList>\n{ids}</IdList>\n'


def biosample_xml(records: Sequence[Record]) -> str:
    """Return a BioSampleSet with the elements of a recorded answer."""
    samples = "".join(
        f'<BioSample access="public" id="{record.uid}" accession="SAMN{record.uid:08d}">   '
        f'<Ids>     <Id db="BioSample" is_primary="1">SAMN{record.uid:08d}</Id>   </Ids>   '
        f"<Description>     <Title>{escape(record.title)}</Title>     "
        f'<Organism taxonomy_id="{record.species.taxid}" taxonomy_name="{record.species.name}"/>'
        "   </Description> </BioSample>\n"
        for record in records
    )
    return f"{_DECLARATION}<BioSampleSet>{samples}</BioSampleSet>\n"


def sra_xml(records: Sequence[Record]) -> str:
    """Return an EXPERIMENT_PACKAGE_SET: experiment, study, sample and one run per record."""
    packages = "".join(
        f'<EXPERIMENT_PACKAGE><EXPERIMENT accession="SRX{record.uid}"><TITLE>'
        f"{escape(record.title)}</TITLE><DESIGN><LIBRARY_DESCRIPTOR><LIBRARY_STRATEGY>RNA-Seq"
        "</LIBRARY_STRATEGY><LIBRARY_SOURCE>TRANSCRIPTOMIC</LIBRARY_SOURCE></LIBRARY_DESCRIPTOR>"
        "</DESIGN><PLATFORM><ILLUMINA><INSTRUMENT_MODEL>unspecified</INSTRUMENT_MODEL></ILLUMINA>"
        f'</PLATFORM></EXPERIMENT><SUBMISSION accession="SRA{record.uid}"/>'
        f'<STUDY accession="SRP{record.uid}"><DESCRIPTOR><STUDY_TITLE>{escape(record.title)}'
        f'</STUDY_TITLE></DESCRIPTOR></STUDY><SAMPLE accession="SRS{record.uid}"><SAMPLE_NAME>'
        f"<TAXON_ID>{record.species.taxid}</TAXON_ID><SCIENTIFIC_NAME>{record.species.name}"
        f'</SCIENTIFIC_NAME></SAMPLE_NAME></SAMPLE><RUN_SET><RUN accession="SRR{record.uid}"'
        ' total_spots="1000" total_bases="100000" size="50000"/></RUN_SET></EXPERIMENT_PACKAGE>\n'
        for record in records
    )
    return f"{_DECLARATION}<EXPERIMENT_PACKAGE_SET>{packages}</EXPERIMENT_PACKAGE_SET>\n"


def snp_xml(records: Sequence[Record]) -> str:
    """Return DocumentSummary elements without a root and a prolog (recorded in 2023)."""
    return "".join(
        f'<DocumentSummary uid="{record.uid}"><SNP_ID>{record.uid}</SNP_ID>'
        f"<GENES><GENE_E><NAME>{record.symbol}</NAME></GENE_E></GENES>"
        f"<CHR>{record.chromosome}</CHR></DocumentSummary>\n"
        for record in records
    )


def plain_xml(records: Sequence[Record]) -> str:
    """Return a RecordSet of document summaries."""
    documents = "".join(
        f'<DocumentSummary uid="{record.uid}"><Title>{escape(record.title)}</Title>'
        "</DocumentSummary>\n"
        for record in records
    )
    return f"{_DECLARATION}<RecordSet>{documents}</RecordSet>\n"


def plain_text(records: Sequence[Record]) -> str:
    """Return numbered titles with their UIDs."""
    return "".join(
        f"{number}. {record.title}\nID: {record.uid}\n\n"
        for number, record in enumerate(records, 1)
    )
