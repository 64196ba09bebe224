"""Sequences as XML: GBSet, TSeqSet, Bioseq-set, IPGReportSet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.records.sequences import DATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.records.content import Record

_GBSEQ = (
    '<?xml version="1.0" encoding="UTF-8"  ?>\n'
    '<!DOCTYPE GBSet PUBLIC "-//NCBI//NCBI GBSeq/EN" '
    '"https://www.ncbi.nlm.nih.gov/dtd/NCBI_GBSeq.dtd">\n'
)
_BIOSEQ = (
    '<?xml version="1.0"?>\n'
    '<!DOCTYPE Bioseq-set PUBLIC "-//NCBI//NCBI Seqset/EN" '
    '"https://www.ncbi.nlm.nih.gov/dtd/NCBI_Seqset.dtd">\n'
)
_TSEQ = (
    '<?xml version="1.0" encoding="UTF-8"  ?>\n'
    '<!DOCTYPE TSeqSet PUBLIC "-//NCBI//NCBI TSeq/EN" '
    '"https://www.ncbi.nlm.nih.gov/dtd/NCBI_TSeq.dtd">\n'
)


def gb_xml(records: Sequence[Record]) -> str:
    """Return a GBSet with the elements of a recorded answer of 2024."""
    return f"{_GBSEQ}<GBSet>\n{''.join(map(_gbseq, records))}</GBSet>\n"


def _gbseq(record: Record) -> str:
    species = record.species
    locus = record.accession.partition(".")[0]
    length = len(record.sequence)
    stranded = "" if record.is_protein else _element("strandedness", "single")
    return (
        "  <GBSeq>\n\n"
        + _element("locus", locus)
        + _element("length", str(length))
        + stranded
        + _element("moltype", "AA" if record.is_protein else "mRNA")
        + _element("topology", "linear")
        + _element("division", species.division)
        + _element("update-date", DATE)
        + _element("create-date", DATE)
        + _element("definition", record.title)
        + _element("primary-accession", locus)
        + _element("accession-version", record.accession)
        + "    <GBSeq_other-seqids>\n"
        f"      <GBSeqid>ref|{record.accession}|</GBSeqid>\n"
        f"      <GBSeqid>gi|{record.uid}</GBSeqid>\n    </GBSeq_other-seqids>\n"
        + _element("source", f"{species.name} ({species.common})")
        + _element("organism", species.name)
        + _element("taxonomy", "; ".join(species.lineage))
        + "    <GBSeq_feature-table>\n      <GBFeature>\n"
        "        <GBFeature_key>source</GBFeature_key>\n"
        f"        <GBFeature_location>1..{length}</GBFeature_location>\n"
        "        <GBFeature_quals>\n          <GBQualifier>\n"
        "            <GBQualifier_name>organism</GBQualifier_name>\n"
        f"            <GBQualifier_value>{species.name}</GBQualifier_value>\n"
        "          </GBQualifier>\n        </GBFeature_quals>\n      </GBFeature>\n"
        "    </GBSeq_feature-table>\n" + _element("sequence", record.sequence.lower()) + "\n"
        "  </GBSeq>\n"
    )


def _element(name: str, text: str) -> str:
    return f"    <GBSeq_{name}>{text}</GBSeq_{name}>\n"


def fasta_xml(records: Sequence[Record]) -> str:
    """Return a TSeqSet."""
    return f"{_TSEQ}<TSeqSet>\n{''.join(map(_tseq, records))}</TSeqSet>\n"


def _tseq(record: Record) -> str:
    kind = "protein" if record.is_protein else "nucleotide"
    species = record.species
    return (
        f'<TSeq>\n  <TSeq_seqtype value="{kind}"/>\n  <TSeq_gi>{record.uid}</TSeq_gi>\n'
        f"  <TSeq_accver>{record.accession}</TSeq_accver>\n"
        f"  <TSeq_taxid>{species.taxid}</TSeq_taxid>\n"
        f"  <TSeq_orgname>{species.name}</TSeq_orgname>\n"
        f"  <TSeq_defline>{record.title}</TSeq_defline>\n"
        f"  <TSeq_length>{len(record.sequence)}</TSeq_length>\n"
        f"  <TSeq_sequence>{record.sequence}</TSeq_sequence>\n</TSeq>\n\n"
    )


def native_xml(records: Sequence[Record]) -> str:
    """Return the identifiers and lengths of Seq-entries in a Bioseq-set (`rettype=native`)."""
    return (
        f"{_BIOSEQ}<Bioseq-set>\n  <Bioseq-set_seq-set>\n{''.join(map(_seq_entry, records))}"
        "  </Bioseq-set_seq-set>\n</Bioseq-set>\n"
    )


def _seq_entry(record: Record) -> str:
    locus, _, version = record.accession.partition(".")
    return (
        "<Seq-entry><Seq-entry_seq><Bioseq><Bioseq_id><Seq-id><Seq-id_other><Textseq-id>"
        f"<Textseq-id_accession>{locus}</Textseq-id_accession>"
        f"<Textseq-id_version>{version}</Textseq-id_version>"
        "</Textseq-id></Seq-id_other></Seq-id>"
        f"<Seq-id><Seq-id_gi>{record.uid}</Seq-id_gi></Seq-id></Bioseq_id>"
        f"<Bioseq_inst><Seq-inst><Seq-inst_length>{len(record.sequence)}</Seq-inst_length>"
        "</Seq-inst></Bioseq_inst></Bioseq></Seq-entry_seq></Seq-entry>\n"
    )


def ipg_xml(records: Sequence[Record]) -> str:
    """Return the reports of identical protein groups, valid by NCBI's schema."""
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<IPGReportSet '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation='
        '"https://www.ncbi.nlm.nih.gov/data_specs/schema/IPGReportSet.xsd">\n'
        f"{''.join(map(_ipg_report, records))}</IPGReportSet>\n"
    )


def _ipg_report(record: Record) -> str:
    species = record.species
    organism = (
        f'accver="{record.accession}" name="{record.title}" org="{species.name}"'
        f' kingdom="Eukaryota" kingdom_taxid="2759" taxid="{species.taxid}"'
    )
    return (
        f'<IPGReport product_acc="{record.accession}" ipg="{record.uid}">'
        f'<Product {organism} slen="{len(record.sequence)}"/><ProteinList>'
        f'<Protein {organism} source="RefSeq" priority="1"/></ProteinList>'
        '<Statistics nuc_count="0" prot_count="1"/></IPGReport>\n'
    )
