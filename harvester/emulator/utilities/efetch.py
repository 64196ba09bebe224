"""EFetch: records in the forms of their database, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.answers.answer import TEXT_TYPE, XML_TYPE, Answer
from harvester.emulator.answers.errors import EMPTY_ID_LIST, efetch_error
from harvester.emulator.databases import SEQUENCES
from harvester.emulator.records import articles, genes, others, sequences, sequences_xml, taxa
from harvester.emulator.utilities.backend import UtilityError
from harvester.emulator.utilities.requested import requested

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harvester.emulator.records.content import Record
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend
    from harvester.emulator.utilities.requested import Requested

_XML_FIRST = {"pubmed", "pmc", "taxonomy", "biosample", "bioproject", "sra", "snp", "clinvar"}
"""Databases whose default is XML (recorded in 2023 to 2025); for the others it is text."""

_FORMS: dict[str, dict[tuple[str, str], Callable[[Sequence[Record]], str]]] = {
    "pubmed": {
        ("", "xml"): articles.pubmed_xml,
        ("medline", "text"): articles.medline,
        ("", "text"): articles.abstracts,
    },
    "pmc": {("", "xml"): articles.pmc_xml, ("medline", "text"): articles.medline},
    "gene": {("", "xml"): genes.gene_xml, ("", "text"): genes.gene_text},
    "taxonomy": {("", "xml"): taxa.taxonomy_xml, ("", "text"): taxa.taxonomy_text},
    "biosample": {("", "xml"): others.biosample_xml},
    "snp": {("", "xml"): others.snp_xml},
    "sra": {("", "xml"): others.sra_xml},
}
"""Writers by database, then (rettype, retmode); an unknown rettype is ignored."""

_SEQUENCE_FORMS: dict[tuple[str, str], Callable[[Sequence[Record]], str]] = {
    **{
        (rettype, "text"): sequences.flat_file
        for rettype in ("gb", "gp", "gbwithparts", "gbc", "gpc", "gss", "est")
    },
    ("", "text"): sequences.asn1,
    ("", "xml"): sequences_xml.gb_xml,
    ("native", "text"): sequences.asn1,
    ("native", "xml"): sequences_xml.native_xml,
    ("acc", "text"): sequences.accessions,
    ("fasta", "text"): sequences.fasta,
    ("fasta", "xml"): sequences_xml.fasta_xml,
    ("ft", "text"): sequences.feature_table,
    ("ipg", "text"): sequences.ipg_table,
    ("ipg", "xml"): sequences_xml.ipg_xml,
}

_UID_FORMS: dict[tuple[str, str], Callable[[Sequence[Record]], str]] = {
    ("uilist", "text"): others.uid_lines,
    ("uilist", "xml"): others.uid_xml,
}


def efetch(request: UtilityRequest, backend: Backend) -> Answer:
    """Return the records of a request; unknown ones are left out silently (live, 2026-09)."""
    rettype, retmode = request.get("rettype").lower(), request.get("retmode").lower()
    if rettype == "xml":  # as some clients write it; XML whatever the retmode
        rettype, retmode = "", "xml"
    try:
        wanted = requested(request, backend)
    except UtilityError as error:
        return efetch_error(str(error))
    writer, is_xml = _writer(wanted.db, rettype, retmode)
    records = [_part(record, request) for record in wanted.existing(backend)]
    if not records and (wanted.invalid or wanted.db in SEQUENCES):
        return _no_records_error(wanted, is_xml=is_xml)
    return Answer(writer(records).encode(), XML_TYPE if is_xml else TEXT_TYPE)


def _part(record: Record, request: UtilityRequest) -> Record:
    """Return the part of a sequence that `seq_start`, `seq_stop` and `strand` name (NBK25499)."""
    names = ("seq_start", "seq_stop", "strand")
    if record.db not in SEQUENCES or not any(map(request.get, names)):
        return record
    start, stop, strand = (request.integer(name, 0) for name in names)
    return record.part(start, stop, minus=strand == 2 and not record.is_protein)


def _writer(db: str, rettype: str, retmode: str) -> tuple[Callable[[Sequence[Record]], str], bool]:
    """Return the writer of a form, and whether it is XML. Unsupported words are ignored."""
    forms = _UID_FORMS | (_SEQUENCE_FORMS if db in SEQUENCES else _FORMS.get(db, {}))
    if (rettype, retmode if retmode == "xml" else "text") not in forms:
        rettype = ""
    if retmode not in {"text", "xml"}:
        retmode = "xml" if not rettype and db in _XML_FIRST else "text"
    plain = others.plain_xml if retmode == "xml" else others.plain_text
    return forms.get((rettype, retmode), plain), retmode == "xml"


def _no_records_error(wanted: Requested, *, is_xml: bool) -> Answer:
    """Return the error of a request without any existing record.

    Texts as recorded in 2026-09: an id that is no id at all is an error with status 200, a
    record that does not exist one with status 400.
    """
    if wanted.db not in SEQUENCES:
        return efetch_error(EMPTY_ID_LIST)
    if wanted.invalid:
        words = ("Failed to understand id:", wanted.invalid[0])
    else:
        words = ("Failed to retrieve sequence:", str(wanted.uids[0]))
    if is_xml:
        return efetch_error(f"Error: CEFetchPApplication::proxy_stream(): {' '.join(words)}\n")
    text = f"Error: {_spaced(' '.join(words))} \n\n"
    if wanted.invalid:
        return Answer(f"{text}\n".encode(), TEXT_TYPE)
    return Answer(f"Error: CEFetchPApplication::proxy_stream(): {text}".encode(), TEXT_TYPE, 400)


def _spaced(text: str) -> str:
    """Return a text with spaces between its letters, as NCBI sends it."""
    return "  ".join(" ".join(word) for word in text.split(" "))
