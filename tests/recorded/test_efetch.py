"""EFetch's texts: errors, number of records, and their UIDs."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorded_answers import body_of

from harvester.errors import Fault, RequestFailed
from harvester.eutils import efetch
from harvester.eutils.efetch import Documents
from harvester.eutils.efetch_records import records_in
from harvester.model import uids
from harvester.model.batch import Batch
from harvester.model.identifiers import Uids, identifiers_of

ERRORS = {
    "quoted-efetch-errors/efetch_200_failed_to_understand_id.txt": (
        "Error: Failed to understand id: NOT_A_REAL_ID",
        Fault.LINKSET,
    ),
    "quoted-efetch-errors/efetch_400_failed_to_retrieve.txt": (
        "Error: CEFetchPApplication::proxy_stream(): Error: Failed to retrieve sequence: NG_999999",
        Fault.LINKSET,
    ),
    "quoted-efetch-errors/efetch_xml_failed_to_retrieve.xml": (
        "Error: CEFetchPApplication::proxy_stream(): Failed to retrieve sequence: 11128019",
        Fault.LINKSET,
    ),
}

NAMED = {
    "ncbi-GeneGPT/efetch_gene_44eb869e.txt": ("gene", "", "json", ["19171", "5699", "8138"]),
    "ncbi-GeneGPT/efetch_snp_7f472dd0.xml": ("snp", "", "json", ["1015227", "61216744"]),
    "ncbi-GeneGPT/efetch_snp_9c4ceda7.xml": ("snp", "", "json", ["1217074595"]),
    "biocommons-eutils/test_two_snps__0.xml": ("snp", "", "xml", ["2031", "14181"]),
    "biocommons-eutils/test_efetch__0.xml": ("pubmed", "", "xml", ["1234567"]),
    "biopython-biopython/taxonomy.xml": ("taxonomy", "", "xml", ["9615", "9685"]),
    "biopython-biopython/biosample.xml": ("biosample", "xml", "", ["3502652"]),
}
"""Recorded answer → database, rettype, retmode and the UIDs of its request."""


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_in_place_of_records_is_a_failure_with_ncbis_words(name: str) -> None:
    words, fault = ERRORS[name]
    with pytest.raises(RequestFailed) as caught:
        efetch.read(body_of(name))
    assert (caught.value.reason, caught.value.fault) == (words, fault)


def test_an_error_among_records_is_a_failure_too() -> None:
    body = b">NM_1.1 a\nACGT\n\nError: F a i l e d  t o  r e t r i e v e\n"
    with pytest.raises(RequestFailed, match="Error: Failed to retrieve"):
        efetch.read(body)


def test_a_url_encoded_error_is_decoded() -> None:
    with pytest.raises(RequestFailed, match="Error: CEFetchPApplication::proxy_stream"):
        efetch.read(b"Error%3A%20CEFetchPApplication%3A%3Aproxy_stream%28%29%3A%20x")


@pytest.mark.parametrize("text", ["TI  - Error: a study", "1. Error: failed again\n"])
def test_a_record_about_errors_is_none(text: str) -> None:
    assert efetch.read(text.encode()) == text


@pytest.mark.parametrize("name", NAMED)
def test_records_are_counted_and_named(name: str) -> None:
    db, rettype, retmode, asked = NAMED[name]
    records = records_in(body_of(name).decode(), db, rettype, retmode)
    assert records is not None
    assert [one for one in asked for record in records if one in record.names] == asked
    assert len(records) == len(asked)


@pytest.mark.parametrize("name", [one for one in NAMED if one.endswith("xml")])
def test_cut_xml_is_not_whole(name: str) -> None:
    db, rettype, retmode, _ = NAMED[name]
    text = body_of(name).decode().rstrip()
    for cut in range(200, len(text), max(1, len(text) // 100)):
        if _is_whole(text[:cut]):
            continue  # between two elements that have no root
        with pytest.raises(RequestFailed) as caught:
            records_in(text[:cut], db, rettype, retmode)
        assert caught.value.fault is Fault.BODY


def _is_whole(text: str) -> bool:
    """Return whether Python's own parser accepts a text, perhaps within a root."""
    plain = re.sub(r"<\?xml[^>]*\?>|<!DOCTYPE[^>]*>", "", text)
    try:
        ET.fromstring(f"<x>{plain}</x>")
    except ET.ParseError:
        return False
    return True


FLAT = """LOCUS       NM_000546               2512 bp    mRNA    linear   PRI 01-JAN-2026
ACCESSION   NM_000546 NM_9
VERSION     NM_000546.6  GI:371502114
ORIGIN
        1 acgt
//
"""
SEQUENCES = """<?xml version="1.0"?>
<!DOCTYPE GBSet PUBLIC "-//NCBI//NCBI GBSeq/EN" "https://www.ncbi.nlm.nih.gov/dtd/NCBI_GBSeq.dtd">
<GBSet><GBSeq><GBSeq_primary-accession>NM_000546</GBSeq_primary-accession>
<GBSeq_accession-version>NM_000546.6</GBSeq_accession-version><GBSeq_other-seqids>
<GBSeqid>ref|NM_000546.6|</GBSeqid><GBSeqid>gi|371502114</GBSeqid></GBSeq_other-seqids>
<GBSeq_references><GBReference><GBReference_pubmed>7</GBReference_pubmed></GBReference>
</GBSeq_references></GBSeq></GBSet>"""
PMC = """<pmc-articleset><article><front><article-meta><article-id pub-id-type="pmid">34527728
</article-id><article-id pub-id-type="pmcid">PMC8435807.1</article-id></article-meta></front>
</article></pmc-articleset>"""

SEQ_ENTRY = """<?xml version="1.0"?>
<Bioseq-set><Bioseq-set_seq-set><Seq-entry><Seq-entry_set><Bioseq-set><Bioseq-set_seq-set>
<Seq-entry><Seq-entry_seq><Bioseq><Bioseq_id><Seq-id><Seq-id_other><Textseq-id>
<Textseq-id_accession>NM_000546</Textseq-id_accession><Textseq-id_version>6</Textseq-id_version>
</Textseq-id></Seq-id_other></Seq-id><Seq-id><Seq-id_gi>371502114</Seq-id_gi></Seq-id></Bioseq_id>
<Bioseq_descr><Dbtag><Object-id><Object-id_id>34527728</Object-id_id></Object-id></Dbtag>
</Bioseq_descr></Bioseq></Seq-entry_seq></Seq-entry></Bioseq-set_seq-set></Bioseq-set>
</Seq-entry_set></Seq-entry></Bioseq-set_seq-set></Bioseq-set>"""
ASN1 = """Seq-entry ::= seq {
  id {
    other {
      accession "NM_000546" ,
      version 6 } ,
    gi 371502114 } ,
  descr {
    pub { pmid 34527728 } } ,
  inst { }
}

"""


@pytest.mark.parametrize(
    ("text", "db", "rettype", "retmode", "names"),
    [
        (FLAT, "nuccore", "gb", "text", {"NM_000546.6", "NM_000546", "NM_9", "371502114"}),
        (SEQUENCES, "nuccore", "gb", "xml", {"NM_000546.6", "371502114"}),
        (">NM_000546.6 Homo\nAC\n", "nuccore", "fasta", "text", {"NM_000546.6"}),
        (">gi|371502114|ref|NM_000546.6| Homo\nAC\n", "nuccore", "fasta", "",
         {"371502114", "NM_000546.6"}),
        ("NM_000546.6\n", "nuccore", "acc", "text", {"NM_000546.6"}),
        ("\nPMID- 7\nTI  - PMID- 8\n", "pubmed", "medline", "text", {"7"}),
        ("PMC - PMC7\n", "pmc", "medline", "text", {"7"}),
        (PMC, "pmc", "", "xml", {"8435807"}),
        ("<IdList>\n<Id>7</Id>\n</IdList>", "pubmed", "uilist", "xml", {"7"}),
        ("<TSeqSet><TSeq><TSeq_gi>7</TSeq_gi><TSeq_accver>NM_1.1</TSeq_accver></TSeq></TSeqSet>",
         "nuccore", "fasta", "xml", {"7", "NM_1.1"}),
        (SEQ_ENTRY, "nuccore", "native", "xml", {"371502114", "NM_000546", "NM_000546.6"}),
        (ASN1, "nuccore", "", "", {"371502114", "NM_000546", "NM_000546.6"}),
        ("Pubmed-entry ::= {\n  pmid 7,\n  medent { }\n}\n", "pubmed", "", "asn.1", {"7"}),
        (">Feature ref|NM_1.1|\n1\t2\tgene\n", "nuccore", "ft", "text", {"NM_1.1"}),
    ],
)  # fmt: skip
def test_each_format_names_its_record(
    text: str, db: str, rettype: str, retmode: str, names: set[str]
) -> None:
    records = records_in(text, db, rettype, retmode)
    assert records is not None
    assert len(records) == 1
    assert names <= records[0].names
    assert "34527728" not in records[0].names
    assert "".join(records[0].text.split()) == "".join(text.split())


def test_a_flat_file_without_its_end_is_cut() -> None:
    with pytest.raises(RequestFailed, match="cut"):
        records_in(FLAT + FLAT.removesuffix("//\n"), "nuccore", "gb", "text")


@pytest.mark.parametrize(
    ("text", "db", "rettype"),
    [("1. Nature. 2026", "pubmed", "abstract"), ("<html><a/></html>", "gds", ""), ("x", "sra", "")],
)
def test_other_formats_are_not_judged(text: str, db: str, rettype: str) -> None:
    assert records_in(text, db, rettype, "text") is None


_FASTA = ">NM_1.1 a\nACGT\nAC-*\n\n"
_GB = "LOCUS       NM_1\nVERSION     NM_1.1\n//\n\n"
_MEDLINE = "\nPMID- 1\nTI  - One\n      title\n"


@pytest.mark.parametrize(
    ("rettype", "text"),
    [
        ("fasta", f"{_FASTA}Resource temporarily unavailable\n{_FASTA}"),
        ("fasta", "ID list is empty! Possibly it has no correct IDs.\n"),
        ("fasta", _FASTA + _FASTA[:13]),
        ("gb", f"{_GB}Resource temporarily unavailable\n{_GB}"),
        ("gb", f"Resource temporarily unavailable\n{_GB}"),
        ("acc", "NM_1.1\nSupplied id parameter is empty.\n"),
        ("uilist", "Resource temporarily unavailable\n"),
        ("medline", "Resource temporarily unavailable\n"),
        ("medline", f"{_MEDLINE}\n2. id: 2 Error occurred: not available\n"),
    ],
)
def test_words_in_place_of_records_or_among_them_are_a_failure(rettype: str, text: str) -> None:
    """For formats whose lines are known; also a truncated line of FASTA."""
    documents = Documents(
        "pubmed" if rettype == "medline" else "nuccore", f"{rettype}/text", Uids()
    )
    for whole in (text, text.replace("\n", "\r\n")):
        with pytest.raises(RequestFailed):
            documents.read(whole.encode(), Batch(np.array([1, 2]), "json"))
    sound = {"fasta": _FASTA, "gb": _GB, "acc": "NM_1.1\n", "uilist": "1\n", "medline": _MEDLINE}
    for whole in (sound[rettype], sound[rettype].replace("\n", "\r\n")):
        assert documents.read(whole.encode(), Batch(np.array([1]), "json")).answered.tolist() == [1]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("/xml", "Service unavailable\n"),
        ("xml", "Supplied id parameter is empty.\n"),
        ("ipg/xml", "null"),
        ("medline/text", "<busy><later/></busy>"),
        ("fasta", "<busy/>"),
        ("abstract/text", '{"error":"error forwarding request","type":"ip"}'),
        ("", '<?xml version="1.0"?>\n<error>down</error>'),
        ("docsum/xml", "<Error>down</Error>"),
    ],
)
def test_an_answer_of_another_form_is_a_failure(form: str, text: str) -> None:
    documents = Documents("pubmed", form, Uids())
    with pytest.raises(RequestFailed) as failed:
        documents.read(text.encode(), Batch(np.array([1, 2]), "json"))
    assert failed.value.reason.isprintable()


def test_declared_entities_are_refused() -> None:
    with pytest.raises(RequestFailed, match="declares entities"):
        records_in('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "pubmed", "", "xml")


# --- matched with a batch -------------------------------------------------------------------


def _read(form: str, text: str, *asked: int, db: str = "nuccore") -> tuple[list[int], list[int]]:
    batch = Batch(np.array(asked, np.int64), "json")
    answer = Documents(db, form, Uids()).read(text.encode(), batch)
    told = answer.rows.to_table()["uids"].to_pylist()
    assert told == [[uid] for uid in answer.answered.tolist()]
    return answer.answered.tolist(), answer.left_out.tolist()


def test_named_records_are_answered_and_the_others_left_out() -> None:
    text = "\nPMID- 7\nTI  - a\n\nPMID- 9\nTI  - b\n"
    assert _read("medline/text", text, 7, 8, 9, db="pubmed") == ([7, 9], [8])


def test_as_many_records_as_asked_for_are_all() -> None:
    """If requested by UID, a FASTA record is named by accession."""
    assert _read("fasta/text", ">NM_1.1 a\nAC\n>NM_2.1 b\nAC\n", 7, 8) == ([7, 8], [])


def test_fewer_records_of_other_names_are_asked_for_again() -> None:
    assert _read("fasta/text", ">NM_1.1 a\nAC\n", 7, 8) == ([], [7, 8])
    assert _read("fasta/text", ">NM_1.1 a\nAC\n", 7) == ([7], [])


def test_records_of_other_uids_are_never_those_asked_for() -> None:
    assert _read("uilist/text", "9\n", 5) == ([], [5])
    assert _read("uilist/text", "6\n9\n", 5, 6) == ([], [5, 6])


@pytest.mark.parametrize("form", ["fasta/text", "acc/text", "gb/text", "medline/text", "x/text"])
def test_an_empty_answer_leaves_all_out(form: str) -> None:
    assert _read(form, "\n", 7, 8) == ([], [7, 8])


def test_accessions_are_known_with_and_without_their_version() -> None:
    accessions = identifiers_of("acc")
    asked = uids.as_array(accessions.number_all(["NM_1.1", "NM_2", "NM_3.1"]))
    body = b">NM_1.1 a\nAC\n>NM_2.4 b\nAC\n"
    answer = Documents("nuccore", "fasta/text", accessions).read(body, Batch(asked, "json"))
    assert accessions.texts(answer.answered) == ["NM_1.1", "NM_2"]
    assert accessions.texts(answer.left_out) == ["NM_3.1"]


@given(st.sets(st.integers(1, 99), min_size=1), st.sets(st.integers(1, 99)))
def test_every_uid_is_answered_or_left_out(asked: set[int], known: set[int]) -> None:
    text = "".join(f"{uid}\n" for uid in sorted(asked & known))
    answered, left_out = _read("uilist/text", text, *sorted(asked))
    assert answered == sorted(asked & known)
    assert left_out == sorted(asked - known)


# --- several answers as one -----------------------------------------------------------------


def test_texts_are_joined_line_by_line() -> None:
    assert efetch.join(["1\n2", "3\n"]) == "1\n2\n3\n"


def test_xml_documents_become_one() -> None:
    one = body_of("biopython-biopython/taxonomy.xml").decode()
    joined = ET.fromstring(efetch.join([one, one]))
    alone = ET.fromstring(one)
    assert joined.tag == alone.tag
    assert len(joined) == 2 * len(alone) > 2


def test_elements_without_a_root_stay_as_they_are() -> None:
    one = body_of("ncbi-GeneGPT/efetch_snp_9c4ceda7.xml").decode()
    records = records_in(efetch.join([one, one]), "snp", "", "xml")
    assert records is not None
    assert len(records) == 2
