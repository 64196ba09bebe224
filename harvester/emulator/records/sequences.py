"""Sequences as text: FASTA, GenBank and GenPept flat files, ASN.1, feature and IPG tables."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.records.content import Record

DATE = "15-JAN-2025"


def accessions(records: Sequence[Record]) -> str:
    """Return one accession.version per line."""
    return "".join(f"{record.accession}\n" for record in records)


def fasta(records: Sequence[Record]) -> str:
    """Return FASTA, 70 letters per line."""
    return "".join(
        f">{record.accession}{record.place} {record.title}\n"
        + "\n".join(wrap(record.sequence, 70))
        + "\n\n"
        for record in records
    )


def flat_file(records: Sequence[Record]) -> str:
    """Return GenBank or GenPept flat files."""
    return "".join(map(_flat, records))


def _flat(record: Record) -> str:
    species = record.species
    locus = record.accession.partition(".")[0]
    length = len(record.sequence)
    unit, molecule = ("aa", "      ") if record.is_protein else ("bp", "mRNA  ")
    end = f"1..{length}"
    lines = [
        f"LOCUS       {locus:<16} {length:>11} {unit}    {molecule}  linear   "
        f"{species.division} {DATE}",
        f"DEFINITION  {record.title}",
        f"ACCESSION   {locus}{record.region_text}",
        f"VERSION     {record.accession}",
        "KEYWORDS    .",
        f"SOURCE      {species.name} ({species.common})",
        f"  ORGANISM  {species.name}",
        f"            {'; '.join(species.lineage)}.",
        "FEATURES             Location/Qualifiers",
        f"     source          {end}",
        f'                     /organism="{species.name}"',
        f'                     /db_xref="taxon:{species.taxid}"',
        "ORIGIN      ",
    ]
    letters = record.sequence.lower()
    for start in range(0, length, 60):
        groups = " ".join(wrap(letters[start : start + 60], 10))
        lines.append(f"{start + 1:>9} {groups}")
    return "\n".join([*lines, "//", "", ""])


def asn1(records: Sequence[Record]) -> str:
    """Return the identifiers of Seq-entries in ASN.1, which is EFetch's default (NBK25499)."""
    return "".join(
        f"Seq-entry ::= seq {{\n  id {{\n    gi {record.uid}\n  }},\n  descr {{\n"
        f'    title "{record.title}"\n  }}\n}}\n\n'
        for record in records
    )


def feature_table(records: Sequence[Record]) -> str:
    """Return a feature table with the source of each sequence."""
    return "".join(
        f">Feature ref|{record.accession}|\n1\t{len(record.sequence)}\tsource\n"
        f"\t\t\torganism\t{record.species.name}\n\n"
        for record in records
    )


def ipg_table(records: Sequence[Record]) -> str:
    """Return the table of identical protein groups."""
    head = (
        "Id\tSource\tNucleotide Accession\tStart\tStop\tStrand\tProtein\tProtein Name\tOrganism"
        "\tStrain\tAssembly\n"
    )
    rows = (
        f"{record.uid}\tRefSeq\tN/A\t\t\t\t{record.accession}\t{record.title}"
        f"\t{record.species.name}\t\t\n"
        for record in records
    )
    return head + "".join(rows)
