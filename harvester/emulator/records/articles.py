"""Articles of PubMed and PMC: PubmedArticle, MEDLINE, abstracts, JATS."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from harvester.emulator.records.content import FULL_JOURNAL, JOURNAL, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.records.content import Record

# As recorded in 2024 and 2025: this DTD is on another host and new every year.
_PUBMED = (
    '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC '
    '"-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
)
_PMC = (
    '<?xml version="1.0" ?>\n<!DOCTYPE pmc-articleset PUBLIC "-//NLM//DTD ARTICLE SET 2.0//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pmc/articleset/nlm-articleset-2.0.dtd">\n'
)


def pubmed_xml(records: Sequence[Record]) -> str:
    """Return a PubmedArticleSet with the elements of recorded answers of 2024."""
    articles = "".join(map(_pubmed_article, records))
    return f"{_PUBMED}<PubmedArticleSet>\n{articles}</PubmedArticleSet>\n"


def _pubmed_article(record: Record) -> str:
    volume, page = place_of(record.uid)
    day = f"<Year>{record.year}</Year><Month>01</Month><Day>15</Day>"
    return (
        '<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM">'
        f'<PMID Version="1">{record.uid}</PMID><DateCompleted>{day}</DateCompleted>'
        f'<DateRevised>{day}</DateRevised><Article PubModel="Print"><Journal>'
        '<ISSN IssnType="Print">0000-0000</ISSN><JournalIssue CitedMedium="Print">'
        f"<Volume>{volume}</Volume><Issue>1</Issue><PubDate><Year>{record.year}</Year></PubDate>"
        f"</JournalIssue><Title>{FULL_JOURNAL}</Title><ISOAbbreviation>{JOURNAL}"
        f"</ISOAbbreviation></Journal><ArticleTitle>{escape(record.title)}</ArticleTitle>"
        f"<Pagination><StartPage>{page}</StartPage><MedlinePgn>{page}</MedlinePgn></Pagination>"
        f"<Abstract><AbstractText>{escape(_abstract(record))}</AbstractText></Abstract>"
        f'<AuthorList CompleteYN="Y"><Author ValidYN="Y"><LastName>{record.author}</LastName>'
        "<ForeName>A</ForeName><Initials>A</Initials></Author></AuthorList>"
        '<Language>eng</Language><PublicationTypeList><PublicationType UI="D016428">'
        "Journal Article</PublicationType></PublicationTypeList></Article><MedlineJournalInfo>"
        f"<Country>United States</Country><MedlineTA>{JOURNAL}</MedlineTA>"
        "<NlmUniqueID>0000001</NlmUniqueID><ISSNLinking>0000-0000</ISSNLinking>"
        "</MedlineJournalInfo><CitationSubset>IM</CitationSubset><MeshHeadingList><MeshHeading>"
        '<DescriptorName UI="D006801" MajorTopicYN="N">Humans</DescriptorName></MeshHeading>'
        "</MeshHeadingList></MedlineCitation><PubmedData><History>"
        f'<PubMedPubDate PubStatus="pubmed">{day}</PubMedPubDate></History>'
        "<PublicationStatus>ppublish</PublicationStatus><ArticleIdList>"
        f'<ArticleId IdType="pubmed">{record.uid}</ArticleId>'
        f'<ArticleId IdType="doi">{_doi(record)}</ArticleId></ArticleIdList></PubmedData>'
        "</PubmedArticle>\n"
    )


def medline(records: Sequence[Record]) -> str:
    """Return MEDLINE records, each after a blank line."""
    return "".join(map(_medline, records))


def _medline(record: Record) -> str:
    volume, page = place_of(record.uid)
    uid = f"PMC - PMC{record.uid}" if record.db == "pmc" else f"PMID- {record.uid}"
    return (
        f"\n{uid}\nOWN - NLM\nSTAT- MEDLINE\nIS  - 0000-0000 (Print)\n"
        f"VI  - {volume}\nIP  - 1\nDP  - {record.year}\nTI  - {record.title}\nPG  - {page}\n"
        f"LID - {_doi(record)} [doi]\nAB  - {_abstract(record)}\nFAU - {record.author}, A\n"
        f"AU  - {record.author} A\nLA  - eng\nPT  - Journal Article\nPL  - United States\n"
        f"TA  - {JOURNAL}\nJT  - {FULL_JOURNAL}\nSO  - {JOURNAL}. {record.year};{volume}(1):{page}."
        "\n"
    )


def abstracts(records: Sequence[Record]) -> str:
    """Return numbered abstracts."""
    return "\n\n".join(
        f"{number}. {JOURNAL}. {record.year};{place_of(record.uid)[0]}(1).\n\n{record.title}\n\n"
        f"{record.author} A.\n\n{_abstract(record)}\n\nPMID: {record.uid} [Indexed for MEDLINE]\n"
        for number, record in enumerate(records, 1)
    )


def pmc_xml(records: Sequence[Record]) -> str:
    """Return a pmc-articleset of JATS articles without full text."""
    return f"{_PMC}<pmc-articleset>{''.join(map(_pmc_article, records))}</pmc-articleset>\n"


def _pmc_article(record: Record) -> str:
    volume, page = place_of(record.uid)
    return (
        '<article article-type="research-article" dtd-version="1.3"><front><journal-meta>'
        f'<journal-id journal-id-type="nlm-ta">{JOURNAL}</journal-id><journal-title-group>'
        f"<journal-title>{FULL_JOURNAL}</journal-title></journal-title-group></journal-meta>"
        f'<article-meta><article-id pub-id-type="pmc">{record.uid}</article-id>'
        f'<article-id pub-id-type="doi">{_doi(record)}</article-id><title-group>'
        f"<article-title>{escape(record.title)}</article-title></title-group><contrib-group>"
        f'<contrib contrib-type="author"><name><surname>{record.author}</surname>'
        "<given-names>A</given-names></name></contrib></contrib-group>"
        f'<pub-date pub-type="ppub"><year>{record.year}</year></pub-date>'
        f"<volume>{volume}</volume><fpage>{page}</fpage><abstract><p>{escape(_abstract(record))}"
        "</p></abstract></article-meta></front></article>"
    )


def _abstract(record: Record) -> str:
    return f"Abstract of record {record.uid}."


def _doi(record: Record) -> str:
    """Return a DOI below the prefix 10.5555, which is reserved for examples."""
    return f"10.5555/example.{record.uid}"
