"""The job: defaults, rules between its fields, and the part of it that identifies a folder."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harvester.job.model import Job
from harvester.job.ncbi import BASE_URL as NCBI


def _job(**groups: dict[str, Any]) -> Job:
    given: dict[str, Any] = {"link": {"dbfrom": "pubmed"}, "output": {"path": "out"}}
    for group, keys in groups.items():
        given[group] = {**given.get(group, {}), **keys}
    return Job.model_validate(given)


def test_the_defaults_are_those_of_the_interface() -> None:
    job = _job()
    assert job.model_dump() == {
        "link": {
            "dbfrom": "pubmed",
            "db": ["all"],
            "linkname": [],
            "cmd": "neighbor",
            "term": None,
            "datetype": None,
            "mindate": None,
            "maxdate": None,
            "reldate": None,
            "holding": None,
            "idtype": "uid",
            "targets_only": False,
            "repeat": 1,
            "retmode": "json",
        },
        "hop": [],
        "source": {
            "ids": [],
            "ids_column": None,
            "skip_bad": False,
            "query": None,
            "webenv": None,
            "query_key": None,
            "run": None,
            "shard": "1/1",
        },
        "output": {
            "path": "out",
            "format": "parquet",
            "compression": None,
            "records": None,
            "keep_raw": False,
        },
        "limits": {
            "rate": None,
            "rate_granted": False,
            "limiter": None,
            "concurrency": "auto",
            "batch_size": "auto",
            "timeout": 60.0,
            "max_attempts": 6,
            "window": "auto",
            "stop_at_window_end": False,
            "passes": 1,
            "confirm_empty": 0,
            "give_up_after": None,
        },
        "contact": {"email": None, "tool": "elink-harvester"},
        "server": {"base_url": "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"},
        "run": {"runner": "local", "scheduler": None, "workers": None},
    }


@pytest.mark.parametrize(
    ("output", "codec"),
    [
        ({"format": "parquet"}, "zstd"),
        ({"format": "jsonl"}, "none"),
        ({"format": "jsonl", "compression": "gzip"}, "gzip"),
        ({"format": "parquet", "compression": "none"}, "none"),
    ],
)
def test_compression_has_a_default_for_each_format(output: dict[str, str], codec: str) -> None:
    assert _job(output=output).output.codec == codec


@pytest.mark.parametrize(
    "names", ["pmc,gene", " pmc , gene ", "pmc,,gene,", ["pmc", "gene"], ("pmc", "gene")]
)
def test_a_comma_list_and_a_list_are_the_same(names: object) -> None:
    assert _job(link={"db": names}).link.db == ["pmc", "gene"]
    assert _job(link={"linkname": names}).link.linkname == ["pmc", "gene"]


def test_one_file_needs_no_list() -> None:
    assert _job(source={"ids": "a.txt"}).source.ids == ["a.txt"]


@pytest.mark.parametrize(
    ("asked", "with_key", "rate"), [(None, False, 3.0), (None, True, 10.0), (2.5, True, 2.5)]
)
def test_the_rate_is_as_asked_or_what_ncbi_permits(
    asked: float | None, with_key: bool, rate: float
) -> None:
    assert _job(limits={"rate": asked}).limits.permitted(with_key=with_key) == rate


@pytest.mark.parametrize(
    ("source", "kind", "is_remote"),
    [
        ({}, None, False),
        ({"ids": ["a"]}, "ids", False),
        ({"run": "out"}, "run", False),
        ({"query": "x"}, "search", True),
        ({"webenv": "W", "query_key": 1}, "search", True),
        ({"query": "x", "webenv": "W", "query_key": 1}, "search", True),
    ],
)
def test_kinds_of_sources(source: dict[str, Any], kind: str | None, is_remote: bool) -> None:
    found = _job(source=source).source
    assert (found.kind, found.is_remote) == (kind, is_remote)


@pytest.mark.parametrize(
    ("shard", "share"), [("1/1", (1, 1)), ("2/8", (2, 8)), ("100/100", (100, 100))]
)
def test_shares_are_read(shard: str, share: tuple[int, int]) -> None:
    assert _job(source={"shard": shard}).source.share == share


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:8080", "http://localhost:8080/"),
        ("http://localhost:8080/", "http://localhost:8080/"),
        ("https://example.org/eutils//", "https://example.org/eutils/"),
        (NCBI, NCBI),
    ],
)
def test_the_address_ends_with_one_slash(given: str, kept: str) -> None:
    assert _job(server={"base_url": given}).server.base_url == kept


@pytest.mark.parametrize(
    ("url", "is_ncbi"),
    [
        (NCBI, True),
        ("https://EUTILS.NCBI.NLM.NIH.GOV/entrez/eutils/", True),
        ("http://www.ncbi.nlm.nih.gov/entrez/eutils/", True),
        ("https://ncbi.nlm.nih.gov/x", True),
        ("https://notncbi.nlm.nih.gov/x", False),
        ("https://eutils.ncbi.nlm.nih.gov.evil.org/", False),
        ("http://localhost/eutils.ncbi.nlm.nih.gov/", False),
    ],
)
def test_ncbi_is_known_by_its_host(url: str, is_ncbi: bool) -> None:
    assert _job(server={"base_url": url}).server.is_ncbi is is_ncbi


@pytest.mark.parametrize(
    "dates",
    [
        {"mindate": "2020", "maxdate": "2024"},
        {"mindate": "2020/1", "maxdate": "2024/12"},
        {"mindate": "2020/01/31", "maxdate": "2024/2/29"},
        {"reldate": 30},
        {"reldate": 1, "datetype": "pdat"},
    ],
)
def test_dates_of_every_spelling_elink_takes(dates: dict[str, object]) -> None:
    assert _job(link=dates).link.model_dump(include=set(dates)) == dates


def test_a_job_cannot_be_changed() -> None:
    job = _job()
    with pytest.raises(ValidationError):
        job.link.dbfrom = "gene"


def test_the_identity_holds_what_rows_depend_on_and_nothing_else() -> None:
    identity = _job().identity()
    same = _job(
        link={"retmode": "xml"},
        source={"ids": ["other.txt"]},
        output={"path": "elsewhere", "compression": "zstd"},
        limits={"rate": 1, "max_attempts": 2, "confirm_empty": 3},
        contact={"email": "a@b.c"},
    )
    assert same.identity() == identity


@pytest.mark.parametrize(
    "change",
    [
        {"link": {"dbfrom": "pmc"}},
        {"link": {"db": ["pmc"]}},
        {"link": {"linkname": ["pubmed_pmc"]}},
        {"link": {"cmd": "neighbor_score"}},
        {"link": {"term": "x"}},
        {"link": {"mindate": "2020", "maxdate": "2021"}},
        {"link": {"reldate": 5}},
        {"link": {"idtype": "acc"}},
        {"link": {"targets_only": True}},
        {"link": {"cmd": "llinks", "holding": "x"}},
        {"source": {"query": "x"}},
        {"source": {"webenv": "x", "query_key": "1"}},
        {"output": {"keep_raw": True}},
        {"server": {"base_url": "http://localhost/"}},
        {"output": {"format": "jsonl"}},
        {"output": {"compression": "gzip"}},
    ],
)
def test_each_of_them_makes_another_identity(change: dict[str, dict[str, Any]]) -> None:
    assert _job(**change).identity() != _job().identity()


def test_the_library_takes_paths_as_paths() -> None:
    from pathlib import Path

    _job(source={"ids": [Path("a.txt")]}, output={"path": Path("out")})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("gene,pmc,gene", ["gene", "pmc"]),
        (["pmc", "pmc"], ["pmc"]),
        ("pmc,all", ["all"]),
        (["all", "all"], ["all"]),
    ],
)
def test_each_database_is_asked_for_once(given: object, kept: list[str]) -> None:
    assert _job(link={"dbfrom": "pubmed", "db": given}).link.db == kept
