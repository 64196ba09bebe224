"""Jobs written and read back, and the paths in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.jobs import BASE, LOCAL, SECRET, changed, refused

from harvester.job import load
from harvester.job.groups import STDIN
from harvester.job.model import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


in_any_place = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)
_PATH = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda name: name.strip() not in ("", STDIN)
)
_NAME = st.text("abcdefgh_", min_size=1, max_size=12)
_JOBS = st.builds(
    lambda link, ids, path, limits, email, form: Job.model_validate(
        {
            "link": link,
            "source": {"ids": ids, "shard": "2/7"},
            "output": {"path": path, "format": form},
            "limits": limits,
            "contact": {"email": email},
            "server": LOCAL,
        }
    ),
    link=st.fixed_dictionaries(
        {"dbfrom": st.just("pubmed")},
        optional={
            "db": st.lists(_NAME, min_size=1, max_size=3),
            "linkname": st.lists(_NAME, max_size=3),
            "cmd": st.sampled_from(["neighbor", "neighbor_score"]),
            "term": _TEXT,
            "reldate": st.integers(1, 10**6),
            "retmode": st.sampled_from(["json", "xml"]),
        },
    ),
    ids=st.lists(_PATH, max_size=3),
    path=_PATH,
    limits=st.fixed_dictionaries(
        {},
        optional={
            "rate": st.floats(0.001, 10_000),
            "concurrency": st.one_of(st.just("auto"), st.integers(1, 10_000)),
            "batch_size": st.one_of(st.just("auto"), st.integers(1, 5_000)),
            "timeout": st.floats(0.001, 3600),
            "max_attempts": st.integers(1, 100),
            "window": st.sampled_from(["auto", "off-peak", "always"]),
            "stop_at_window_end": st.booleans(),
        },
    ),
    email=st.one_of(st.none(), st.just("a@b.org")),
    form=st.sampled_from(["parquet", "jsonl"]),
)


@in_any_place
@given(_JOBS)
def test_a_job_written_down_is_read_back_the_same(
    written: Callable[[str | bytes], Path], job: Job
) -> None:
    assert load.build({}, written(load.dump(job)), {}) == job


@pytest.mark.parametrize("path", ["out/", "./out", "a//b", "a/../b", "~/out"])
def test_a_path_is_written_down_as_it_was_given(
    written: Callable[[str | bytes], Path], path: str
) -> None:
    job = Job.model_validate(changed(source={"run": path}, output={"path": path}))
    assert load.build({}, written(load.dump(job)), {}) == job


def test_the_job_written_down_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCBI_API_KEY", SECRET)
    job = load.build(BASE)
    assert SECRET not in load.dump(job)
    assert SECRET not in repr(job)


def test_a_name_that_is_not_utf8_is_refused() -> None:
    """Linux allows such names, Python reads them as lone surrogates, TOML cannot hold them."""
    assert "not valid UTF-8" in refused(changed(output={"path": "caf\udce9"}))


def test_paths_come_to_mean_the_same_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    ids = ["a.txt", "/b.txt", "~/c.txt", STDIN, "../d.txt"]
    job = load.absolute(Job.model_validate(changed(source={"ids": ids})))
    assert job.output.path == str(tmp_path / "out")
    assert job.source.ids == [
        str(tmp_path / "a.txt"),
        "/b.txt",
        "/home/somebody/c.txt",
        STDIN,
        str(tmp_path / "../d.txt"),
    ]
