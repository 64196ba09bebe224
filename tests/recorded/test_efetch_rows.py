"""EFetch's texts as rows: one for each record, with its UID."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pytest
from support.recorded_answers import body_of

from harvester.eutils.efetch import Documents
from harvester.model.batch import Batch
from harvester.model.identifiers import Uids


def _rows(form: str, text: str, *asked: int, db: str = "nuccore") -> dict[tuple[int, ...], str]:
    """Return the text of each row, by its UIDs."""
    batch = Batch(np.array(asked, np.int64), "json")
    table = Documents(db, form, Uids()).read(text.encode(), batch).rows.to_table()
    return {tuple(row["uids"]): row["text"] for row in table.to_pylist()}


TWO = """<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" "x.dtd">
<PubmedArticleSet a=">">
<PubmedArticle><MedlineCitation><PMID>9</PMID><T>é</T></MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>7</PMID><T/></MedlineCitation></PubmedArticle>
</PubmedArticleSet>"""


def test_each_record_of_xml_is_a_document_of_its_own() -> None:
    found = _rows("/xml", TWO, 7, 8, 9, db="pubmed")
    assert list(found) == [(7,), (9,)]
    for (uid,), text in found.items():
        root = ET.fromstring(text)
        assert (root.tag, root.attrib, len(root)) == ("PubmedArticleSet", {"a": ">"}, 1)
        assert root.findtext("PubmedArticle/MedlineCitation/PMID") == str(uid)
        assert text.startswith(TWO[:60])
    assert "<T>é</T>" in found[9,]


@pytest.mark.parametrize(
    ("name", "asked", "element"),
    [
        ("biopython-biopython/taxonomy.xml", (9615, 9685), "Taxon"),
        ("biocommons-eutils/test_two_snps__0.xml", (2031, 14181), "DocumentSummary"),
    ],
)
def test_each_recorded_record_has_a_row(name: str, asked: tuple[int, ...], element: str) -> None:
    found = _rows("/xml", body_of(name).decode(), *asked)
    assert list(found) == [(uid,) for uid in sorted(asked)]
    for (uid,), text in found.items():
        root = ET.fromstring(text)
        assert root.tag == element or len(root) == 1
        assert str(uid) in text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("fasta/text", ">gi|7| a\nAC\n\n>gi|9| b\nGT\n\n"),
        ("medline/text", "\nPMID- 7\nTI  - a\n\nPMID- 9\nTI  - b\n\n"),
        ("gb/text", "LOCUS       A\nVERSION     A.1 GI:7\n//\n\n"
         "LOCUS       B\nVERSION     B.1 GI:9\n//\n"),
        ("uilist/text", "7\n9\n"),
        ("", "Seq-entry ::= seq {\n  id { gi 7 } ,\n  descr { }\n}\n\n"
         "Seq-entry ::= seq {\n  id { gi 9 } ,\n  inst { } }\n"),
    ],
)  # fmt: skip
def test_the_rows_of_a_text_are_its_pieces(form: str, text: str) -> None:
    found = _rows(form, text, 7, 9, db="pubmed" if "medline" in form else "nuccore")
    assert list(found) == [(7,), (9,)]
    assert "".join(found.values()) == text


def test_records_of_other_names_are_in_the_order_of_the_request() -> None:
    text = ">NM_1.1 a\nAC\n>gi|8| b\nGT\n>NM_3.1 c\nAA\n"
    found = _rows("fasta/text", text, 7, 8, 9)
    assert found == {
        (7,): ">NM_1.1 a\nAC\n", (8,): ">gi|8| b\nGT\n", (9,): ">NM_3.1 c\nAA\n",
    }  # fmt: skip


def test_several_records_of_one_uid_are_one_row() -> None:
    text = ">a.1\nAC\n>b.1\nGT\n"
    assert _rows("fasta/text", text, 7) == {(7,): text}
    assert _rows("fasta/text", ">gi|7|a\nA\n>gi|7|b\nC\n>gi|8|\nG\n", 7, 8) == {
        (7,): ">gi|7|a\nA\n>gi|7|b\nC\n", (8,): ">gi|8|\nG\n",
    }  # fmt: skip


def test_of_an_unknown_format_the_whole_text_is_one_row() -> None:
    assert _rows("abstract/text", "1. a\n\n2. b\n", 7, 8, db="pubmed") == {(7, 8): "1. a\n\n2. b\n"}
