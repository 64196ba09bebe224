"""Hops: which keys may be left out, and which links may follow which."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harvester.job.chain import Chain
from harvester.job.link import Link
from harvester.job.model import Job


def _job(hops: list[Any], **groups: Any) -> Job:
    return Job.model_validate({"output": {"path": "out"}, "hop": hops, **groups})


def _starts(job: Job) -> list[str]:
    return [link.dbfrom for link in job.chain.links]


def test_the_first_hop_is_the_link_of_a_job_without_one() -> None:
    job = _job([{"dbfrom": "pubmed", "db": "gene"}, {"db": "protein"}])
    assert job.link.dbfrom == "pubmed"
    assert _starts(job) == ["pubmed", "gene"]


def test_an_option_of_the_link_beats_the_first_hop() -> None:
    job = _job([{"dbfrom": "pubmed", "db": "gene"}, {"db": "x"}], link={"db": ["pmc"]})
    assert job.link.db == ["pmc"]
    assert _starts(job) == ["pubmed", "pmc"]


def test_a_hop_starts_where_the_one_before_leads() -> None:
    link = {"dbfrom": "pubmed", "db": "gene"}
    assert _starts(_job([{"db": ["protein"]}, {"db": "x"}], link=link)) == [
        "pubmed", "gene", "protein",
    ]  # fmt: skip
    assert _starts(_job([{"db": "protein"}], link=Link(dbfrom="pubmed", db=["gene"]))) == [
        "pubmed", "gene",
    ]  # fmt: skip


def test_a_hop_after_several_databases_must_name_its_own() -> None:
    link = {"dbfrom": "pubmed", "db": "gene,protein"}
    with pytest.raises(ValidationError, match="'' is not a name"):
        _job([{"db": "pmc"}], link=link)
    assert _starts(_job([{"dbfrom": "gene"}], link=link)) == ["pubmed", "gene"]


def test_a_hop_with_rounds_stays_in_its_database() -> None:
    job = _job([{"repeat": 3}, {"db": "pmc"}], link={"dbfrom": "gene", "db": "pubmed"})
    assert _starts(job) == ["gene", "pubmed", "pubmed"]
    assert job.hop[0].db == ["pubmed"]
    assert job.hop[0].repeat == 3
    assert Link(dbfrom="pubmed", repeat=2).db == ["pubmed"]
    assert Link(dbfrom="pubmed").db == ["all"]
    for db in ("all", "pmc", "pubmed,pmc"):
        with pytest.raises(ValidationError, match="one database"):
            Link(dbfrom="pubmed", db=db, repeat=2)


def test_what_is_given_is_not_changed() -> None:
    given = {"output": {"path": "out"}, "hop": [{"dbfrom": "a", "db": "b"}, {"db": "c"}]}
    Job.model_validate(given)
    assert given == {"output": {"path": "out"}, "hop": [{"dbfrom": "a", "db": "b"}, {"db": "c"}]}


A = Link(dbfrom="pubmed", db=["gene"])
B = Link(dbfrom="gene", db=["protein"])
HISTORY = Link(dbfrom="pubmed", db=["gene"], cmd="neighbor_history")
TARGETS = Link(dbfrom="pubmed", db=["gene"], targets_only=True)


@pytest.mark.parametrize(
    ("links", "rules", "sentence"),
    [
        ((B, A), {}, "hop 1 leads to protein, but the next starts from pubmed"),
        ((HISTORY, B), {}, "hop 1: cmd neighbor_history leads to no records"),
        ((HISTORY,), {"records": True}, "records: links of cmd neighbor_history lead to none"),
        ((HISTORY,), {"passes": 2}, "cmd neighbor_history gives none"),
        ((TARGETS,), {"passes": 2}, "targets_only keeps none"),
    ],
)
def test_links_that_cannot_be_followed_or_compared(
    links: tuple[Link, ...], rules: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Chain(links).validate(**rules)


@pytest.mark.parametrize("rules", [{}, {"records": True}, {"passes": 3}])
def test_links_that_fit(rules: dict[str, Any]) -> None:
    Chain((A, B)).validate(**rules)
    Chain((Link(dbfrom="pubmed"), B)).validate(**rules)
