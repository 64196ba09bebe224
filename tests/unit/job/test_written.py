"""A job as a file to edit: it reads back as the same job."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from harvester.job import load
from harvester.job.model import Job
from harvester.job.written import written_job

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)


@given(
    term=st.none() | _TEXT,
    query=_TEXT,
    size=st.just("auto") | st.integers(1, 5000),
    window=st.sampled_from(["auto", "off-peak", "always"]),
    keep=st.booleans(),
    summary=st.lists(st.text("ab #[]=\"'", max_size=10), max_size=3),
)
def test_written_job_reads_back_as_it_was(
    term: str | None, query: str, size: object, window: str, keep: bool, summary: list[str]
) -> None:
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pubmed", "term": term},
            "source": {"query": query},
            "output": {"path": "out", "keep_raw": keep},
            "limits": {"batch_size": size, "window": window},
        }
    )
    text = written_job(job, summary)
    assert Job.model_validate(tomllib.loads(text)) == job


def test_chain_reads_back_as_it_was(tmp_path: Path) -> None:
    job = Job.model_validate(
        {
            "link": {"dbfrom": "gene", "db": "protein"},
            "hop": [{"db": "structure"}],
            "source": {"ids": ["a list.txt", "b\\c.txt"]},
            "output": {"path": "out"},
        }
    )
    path = tmp_path / "job.toml"
    path.write_text(written_job(job, ["made for a test"]))
    assert load.build(path=path, environ={}) == job
    assert path.read_text().startswith("# made for a test\n")


def test_each_comment_can_be_made_a_key_by_removing_its_sign() -> None:
    job = Job.model_validate({"link": {"dbfrom": "pubmed"}, "output": {"path": "out"}})
    lines = written_job(job).splitlines()
    uncommented = [
        line[2:] if line.startswith("# ") and " = " in line and ":" not in line else line
        for line in lines
    ]
    found = tomllib.loads("\n".join(uncommented))
    assert found["limits"]["batch_size"] == "auto"
    assert found["link"]["linkname"] == ["pubmed_pmc"]
    assert Job.model_validate(found).limits.passes == 1


def test_harvest_in_an_object_store_is_written_as_its_url() -> None:
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pmc"},
            "source": {"run": "s3://bucket/earlier"},
            "output": {"path": "s3://bucket/name"},
        }
    )
    text = written_job(job)
    found = tomllib.loads(text)
    assert found["output"]["path"] == "s3://bucket/name"
    assert found["source"]["run"] == "s3://bucket/earlier"
    assert Job.model_validate(found) == job
