"""Fields of DocSums, as ESummary's JSON has them."""

from __future__ import annotations

from typing import Any

import pytest

from harvester.model.docsum import field_text

GENE = {
    "name": "TP53", "description": "tumor protein p53", "nomenclaturesymbol": "TP53",
    "organism": {"scientificname": "Homo sapiens", "commonname": "human", "taxid": 9606},
    "mim": ["191170"], "otheraliases": "", "geneweight": 200,
}  # fmt: skip
ARTICLE = {
    "title": "A title; with a semicolon", "Source": "J",
    "authors": [{"name": "Lane D"}, {"name": "Levine A"}, {"authtype": "x"}],
    "articleids": [
        {"idtype": "pubmed", "value": "1"}, {"idtype": "pmc", "value": "PMC2"},
        {"idtype": "doi", "value": "10.1/x"},
    ],
    "history": [{"pubstatus": "entrez", "date": "2001"}], "attributes": [], "flag": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "name", "text"),
    [
        (GENE, "symbol", "TP53"),
        (GENE, "title", "tumor protein p53"),
        (GENE, "organism", "Homo sapiens"),
        (GENE, "organism.taxid", "9606"),
        (GENE, "organism.taxid.none", None),
        (GENE, "mim", "191170"),
        (GENE, "otheraliases", None),
        (GENE, "geneweight", "200"),
        (GENE, "pmcid", None),
        (ARTICLE, "title", "A title; with a semicolon"),
        (ARTICLE, "authors", 'Lane D;Levine A;{"authtype": "x"}'),
        (ARTICLE, "pmcid", "PMC2"),
        (ARTICLE, "DOI", "10.1/x"),
        (ARTICLE, "pmid", "1"),
        (ARTICLE, "source", "J"),
        (ARTICLE, "attributes", None),
        (ARTICLE, "flag", None),
        (ARTICLE, "none", None),
        ({"scientificname": "Mus musculus"}, "title", "Mus musculus"),
        ({"organism": "Mus musculus"}, "organism", "Mus musculus"),
    ],
)
def test_fields(record: dict[str, Any], name: str, text: str | None) -> None:
    assert field_text(record, name) == text
