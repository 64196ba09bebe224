"""Databases and linknames: well-known ones, those that EInfo lists, and those that it does not."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, cast

import pytest

from harvester.client.check_names import all_well_known, check_names, compare_names
from harvester.errors import BadInput, Fault, RequestFailed
from harvester.eutils import einfo
from harvester.job.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harvester.client.client import Client

LISTED = ["pubmed", "pmc", "gene", "protein", "widgets"]
LINKS = {"pubmed_pmc": "pmc", "pubmed_pubmed": "pubmed", "pubmed_gene": "gene"}
LINKS |= {"pubmed_nuccore_refseq": "nuccore", "pubmed_gene_pmc_nucleotide": "gene"}


class FakeCatalogue:
    """Answers as EInfo does, and counts the requests."""

    base_url = "http://teller/"

    def __init__(self, failure: RequestFailed | None = None) -> None:
        self.asked = 0
        self._failure = failure

    async def call(
        self, path: str, fields: dict[str, str], read: Callable[[bytes], object], attempts: int
    ) -> object:
        assert (path, attempts) == (einfo.PATH, 1)
        self.asked += 1
        await asyncio.sleep(0)
        if self._failure:
            raise self._failure
        return read(json.dumps({"einforesult": self._told(fields["db"])}).encode())

    def _told(self, db: str | None) -> dict[str, object]:
        if not db:
            return {"dblist": LISTED}
        if db != "pubmed":
            return {"ERROR": f"Can not retrieve DbInfo for db={db}"}
        links = [{"name": name, "dbto": dbto} for name, dbto in LINKS.items()]
        return {"dbinfo": [{"dbname": db, "linklist": links}]}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _check(teller: FakeCatalogue, **link: object) -> list[str]:
    return asyncio.run(check_names(cast("Client", teller), Link.model_validate(link)))


@pytest.mark.parametrize(
    "link",
    [
        {"dbfrom": "pubmed"},
        {"dbfrom": "pubmed", "db": "pmc,gene", "linkname": "pubmed_pmc,pubmed_gene"},
        {"dbfrom": "nucleotide", "db": "protein", "linkname": "nuccore_protein"},
    ],
)
def test_well_known_names_cost_no_request(link: dict[str, object]) -> None:
    teller = FakeCatalogue()
    assert all_well_known(Link.model_validate(link))
    assert _check(teller, **link) == []
    assert teller.asked == 0


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"db": "gene", "linkname": "pubmed_pmc"}, "pubmed_pmc lead to pmc, and db is gene; leave"),
        ({"db": "gene", "linkname": "pubmed_gene,pubmed_pmc_refs"}, "pubmed_pmc_refs lead to pmc"),
        ({"linkname": "gene_pubmed"}, "gene_pubmed start from gene, and dbfrom is pubmed."),
        ({"db": "nucleotide", "linkname": "pubmed_protein"}, "lead to protein, and db is nucleot"),
    ],
)
def test_names_that_contradict_each_other_cost_no_request(
    link: dict[str, object], sentence: str
) -> None:
    teller = FakeCatalogue()
    with pytest.raises(BadInput, match=re.escape(sentence)):
        _check(teller, dbfrom="pubmed", **link)
    assert teller.asked == 0


@pytest.mark.parametrize("dbfrom", ["sra", "bioproject", "gds", "assembly", "pubmed"])
def test_accessions_are_for_the_databases_that_have_some(dbfrom: str) -> None:
    """NBK25499: idtype is for the sequence databases."""
    teller = FakeCatalogue()
    with pytest.raises(BadInput, match=f"ELink accepts no accessions of {dbfrom}"):
        _check(teller, dbfrom=dbfrom, idtype="acc")
    assert _check(teller, dbfrom="nuccore", idtype="acc") == []
    assert teller.asked == 0


@pytest.mark.parametrize(
    "link",
    [
        {"dbfrom": "pubmed", "db": "nucleotide", "linkname": "pubmed_nuccore"},
        {"dbfrom": "pubmed", "db": "omim", "linkname": "pubmed_medgen_omim"},
        {"dbfrom": "protein", "db": "all", "linkname": "nuccore_protein_wp"},
        {"dbfrom": "taxonomy", "db": "nuccore", "linkname": "taxonomy_nucleotide_exp"},
    ],
)
def test_names_that_say_their_databases_in_another_way_are_no_contradiction(
    link: dict[str, object],
) -> None:
    _check(FakeCatalogue(RequestFailed(Fault.NETWORK, "refused")), **link)


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"dbfrom": "pubmd"}, "link.dbfrom: there is no database 'pubmd' (did you mean 'pubmed'?)"),
        ({"dbfrom": "pubmed", "db": "pmc,genee"}, "link.db: .* 'genee' .did you mean 'gene'"),
        (
            {"dbfrom": "pubmed", "linkname": "pubmed_nucleotide_refseq"},
            "linknames say nuccore for nucleotide .did you mean 'pubmed_nuccore_refseq'",
        ),
        (
            {"dbfrom": "pubmed", "linkname": "pubmed_pmcc"},
            "no links from pubmed are called 'pubmed_pmcc' .did you mean 'pubmed_pmc'",
        ),
        ({"dbfrom": "pubmed", "linkname": "citations"}, "'citations'; leave it out"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(
    link: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence.replace("(", r"\(").replace("?)", r"\?\)")):
        _check(FakeCatalogue(), **link)


def test_what_only_this_server_knows_is_fine() -> None:
    teller = FakeCatalogue()
    assert _check(teller, dbfrom="pubmed", db="widgets") == []
    assert teller.asked == 2


def test_what_is_not_known_is_asked_about_once_a_day() -> None:
    first, second = FakeCatalogue(), FakeCatalogue()
    for teller in (first, second):
        with pytest.raises(BadInput, match="no database 'pubmd'"):
            _check(teller, dbfrom="pubmd")
    assert (first.asked, second.asked) == (2, 0)


def test_an_unlisted_name_that_begins_like_a_real_one_gets_a_warning() -> None:
    """ELink returns pubmed_pubmed_citedin, and EInfo does not list it (recorded in 2025)."""
    (doubt,) = _check(FakeCatalogue(), dbfrom="pubmed", linkname="pubmed_pubmed_citedin")
    assert "does not list pubmed_pubmed_citedin" in doubt


def test_a_name_of_two_known_databases_is_checked() -> None:
    """ELink has pubmed_books_refs; pubmed_books would find nothing, without an error."""
    teller = FakeCatalogue()
    (warning,) = _check(teller, dbfrom="pubmed", linkname="pubmed_gene,pubmed_gene_x")
    assert "does not list pubmed_gene_x" in warning
    assert "did you mean 'pubmed_gene'" in warning
    assert teller.asked == 2


@pytest.mark.parametrize("dbfrom", ["nucleotide", "nuccore"])
def test_a_linkname_that_begins_with_an_alias_is_rejected(dbfrom: str) -> None:
    """ELink answers dbfrom=nucleotide with links named nuccore_protein (recorded in 2025)."""
    teller = FakeCatalogue()
    with pytest.raises(BadInput, match="did you mean 'nuccore_protein'"):
        _check(teller, dbfrom=dbfrom, db="protein", linkname="nucleotide_protein")
    assert teller.asked == 0


def test_names_that_could_not_be_checked_get_a_warning() -> None:
    failing = FakeCatalogue(RequestFailed(Fault.NETWORK, "refused"))
    [warning] = _check(failing, dbfrom="pubmed", db="pmc,gen", linkname="pubmed_x,pubmed_pmc")
    assert warning.startswith("EInfo does not answer")
    assert "exist: gen, pubmed_x. " in warning


def test_names_of_a_server_without_links_in_einfo_pass() -> None:
    assert compare_names(Link(dbfrom="widgets"), LISTED, {}) == []
    assert compare_names(Link(dbfrom="widgets", linkname=["any_name"]), LISTED, {}) == []


OBJECT = b'{"einforesult":{"dbinfo":{"dbname":"x","linklist":[{"name":"x_y","dbto":"y"}]}}}'


@pytest.mark.parametrize(
    "body", [OBJECT, OBJECT.replace(b'"dbinfo":{', b'"dbinfo":[{')[:-2] + b"]}}"]
)
def test_links_are_read_from_the_old_shape_and_the_new(body: bytes) -> None:
    info = einfo.read_info(body)
    assert info is not None
    assert [(link.name, link.dbto) for link in info.links] == [("x_y", "y")]


def test_a_database_that_einfo_does_not_know_has_no_info() -> None:
    assert einfo.read_info(b'{"einforesult":{"ERROR":"Can not retrieve DbInfo"}}') is None


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'{"einforesult":{"dblist":[]}}'])
def test_what_is_no_list_of_databases_is_a_failed_request(body: bytes) -> None:
    with pytest.raises(RequestFailed):
        einfo.read_databases(body)
