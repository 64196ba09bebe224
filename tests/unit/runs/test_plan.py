"""The plan of a job: costs, alternatives and unknowns."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from harvester.errors import BadInput
from harvester.job.model import Job
from harvester.runs.plan import Plan, make_plan
from harvester.runs.plan_estimates import Expected, Input
from harvester.runs.plan_words import plan_lines

NOON = datetime(2026, 11, 18, 17, tzinfo=UTC)
"""A Wednesday: noon in Eastern time."""


def job(**groups: Any) -> Job:
    link = groups.pop("link", {"dbfrom": "pubmed", "db": "pmc", "linkname": "pubmed_pmc"})
    limits = {"batch_size": 200} | groups.pop("limits", {})
    return Job.model_validate({"link": link, "output": {"path": "out"}, "limits": limits} | groups)


def planned(of: Job, uids: int = 100_000, *, with_key: bool = False, **more: Any) -> Plan:
    return make_plan(of, Input(uids, more.pop("left", uids)), NOON, with_key=with_key, **more)


def words(plan: Plan) -> str:
    return "\n".join(f"{label}: {text}" for label, text in plan_lines(plan))


def test_plan_of_a_large_job_waits_for_the_night() -> None:
    plan = planned(job())
    said = plan.as_json()
    assert (said["uids"], said["requests"], said["rate"], said["batch_size"]) == (
        100_000, 500, 3.0, 200,
    )  # fmt: skip
    assert said["starts_at"] == "2026-11-18T21:00:00-05:00"
    assert [one["requests"] for one in said["nights"]] == [500]
    # 500 requests at 3 per second, of which 98 % are used, and the last response
    assert said["seconds"] == pytest.approx(500 / 3 * 1.02, abs=13)
    assert said["links"] == {"expected": 30_000, "basis": "average"}
    assert said["bytes"] == 30_000 + 30_000 * 4 + 100_000
    assert [one["name"] for one in said["bulk"]] == ["PMC-ids.csv.gz"]
    assert json.loads(json.dumps(said)) == said


@pytest.mark.parametrize(
    ("of", "uids", "bound"),
    [
        (job(), 20_000, False),  # 100 requests
        (job(), 20_200, True),
        (job(limits={"window": "always"}), 10**6, False),
        (job(limits={"window": "off-peak"}), 1, True),
        (job(server={"base_url": "http://localhost/"}), 10**6, False),
        (job(limits={"passes": 2}), 10_200, True),  # as all passes together need
    ],
)
def test_hours_follow_the_rule_of_run(of: Job, uids: int, bound: bool) -> None:
    plan = planned(of, uids)
    starts = "2026-11-18T21:00:00-05:00" if bound else "2026-11-18T17:00:00+00:00"
    assert plan.as_json()["starts_at"] == starts


def test_alternatives_say_what_changes_would_cost() -> None:
    of = job(limits={"passes": 2})
    found = {one.change: one for one in planned(of, 1_000_000).alternatives}
    assert set(found) == {
        "with an API key in NCBI_API_KEY (10 requests per second)",
        "--batch-size auto",
        "--window always",
        "--passes 1",
    }
    seconds = planned(of, 1_000_000).course.seconds
    with_key = found["with an API key in NCBI_API_KEY (10 requests per second)"]
    assert with_key.seconds == pytest.approx(seconds * 3 / 10, rel=0.02)
    assert found["--passes 1"].seconds == pytest.approx(seconds / 2, rel=0.01)
    assert found["--window always"].ends_at < NOON.replace(hour=19)


def test_fixed_rate_has_no_alternative_with_a_key() -> None:
    changes = [one.change for one in planned(job(limits={"rate": 3})).alternatives]
    assert changes == ["--batch-size auto", "--window always"]


def test_key_makes_ten_requests_per_second() -> None:
    plan = planned(job(), with_key=True)
    assert plan.rate == 10.0
    assert plan.alternatives[0].change.startswith("without an API key")


def test_auto_says_what_it_assumes() -> None:
    plan = planned(job(limits={"batch_size": "auto"}), 38_000_000)
    assert plan.batch_size == 5000
    assert "assumes that the server answers 5,000 UIDs per request" in words(plan)
    assert "--batch-size 200" in [one.change for one in plan.alternatives]


def test_unknown_averages_are_not_invented() -> None:
    plan = planned(job(link={"dbfrom": "gene", "db": "snp"}))
    said = plan.as_json()
    assert said["links"] == {"expected": None, "basis": "unknown"}
    assert said["bytes"] is None
    assert "Use --probe" in words(plan)


def test_probe_replaces_averages() -> None:
    plan = planned(job(), probed=Expected(2.5, "probe", ("500 UIDs asked",), 300.0))
    assert plan.as_json()["links"] == {"expected": 250_000, "basis": "probe"}
    assert "500 UIDs asked" in words(plan)
    assert "averages" not in words(plan)


def test_chain_adds_its_hops() -> None:
    links = {"dbfrom": "pubmed", "db": "gene", "linkname": "pubmed_gene"}
    hops = [{"db": "pubmed", "linkname": "gene_pubmed"}]
    plan = planned(job(link=links, hop=hops), 1000)
    first, second = plan.as_json()["hops"]
    assert (first["uids"], first["links"]["expected"]) == (1000, 2700)
    assert (second["uids"], second["links"]["expected"]) == (2700, 16_740)
    assert plan.as_json()["requests"] == 5 + 14
    assert "upper estimate" in words(plan)


def test_hop_behind_an_unknown_one_is_left_out_and_said() -> None:
    plan = planned(job(link={"dbfrom": "gene", "db": "protein"}, hop=[{"db": "structure"}]), 1000)
    assert plan.as_json()["requests"] == 5
    assert plan.as_json()["hops"][1]["uids"] is None
    assert "Hop 2 is not in the plan" in words(plan)


def test_nothing_left_is_no_night() -> None:
    plan = planned(job(), 100, left=0)
    said = plan.as_json()
    assert (said["requests"], said["seconds"], said["nights"]) == (0, 0.0, [])
    assert said["starts_at"] is None
    assert "nothing is left to request" in words(plan)


def test_reading_a_query_may_take_longer_than_its_links() -> None:
    of = job(source={"query": "all[sb]"}, limits={"batch_size": "auto"})
    plan = make_plan(of, Input(38_000_000, 38_000_000, searched=True), NOON, with_key=True)
    pages = 38_000_000 / (9_999 * 0.92)
    assert plan.course.seconds == pytest.approx(pages * 4.38, rel=0.02)
    assert "page by page" in words(plan)


def test_plan_of_centuries_is_refused() -> None:
    with pytest.raises(BadInput, match="century"):
        planned(job(limits={"rate": 1e-9}))


def test_long_lists_of_nights_are_cut_in_the_text_alone() -> None:
    plan = planned(job(limits={"rate": 0.1}), 10**7)
    assert len(plan.nights) > 7
    assert "nights more" in words(plan)
    assert len(plan.as_json()["nights"]) == len(plan.nights)
    assert f"{plan.nights[-1].end:%Y-%m-%d}" in words(plan)


def test_no_alternative_is_the_plan_itself() -> None:
    plan = planned(job(limits={"batch_size": "auto"}), 400)
    changes = [one.change for one in plan.alternatives]
    assert not any(change.startswith("--batch-size") for change in changes)
    assert any(change.startswith("--window") for change in changes)
