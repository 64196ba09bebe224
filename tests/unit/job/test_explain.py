"""Each kind of problem in a job becomes one sentence; a table of all kinds and places."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harvester.job.explain import Place, explain
from harvester.job.model import Job

GOOD: dict[str, Any] = {"link": {"dbfrom": "pubmed", "db": "gene"}, "output": {"path": "out"}}

ORIGINS = {(): "job.toml: ", ("limits", "rate"): "", ("contact", "email"): "NCBI_EMAIL: "}
"""A job file, one option, one variable."""

TABLE: list[tuple[dict[str, Any], str, str]] = [
    # missing
    (
        {"link": {}},
        "job.toml: link.dbfrom is missing: give {field}, or dbfrom under [link] in the job file.",
        "link.dbfrom",
    ),
    # extra_forbidden; it explains what is missing
    ({"link": {"dbform": "x"}}, "job.toml: unknown key link.dbform (did you mean 'dbfrom'?).", ""),
    ({"limits": {"zzz": 1}}, "job.toml: unknown key limits.zzz.", ""),
    ({"hop": [{"zzz": 1}]}, "job.toml: unknown key hop 1: zzz.", ""),
    # value_error of a key, of a group, of a hop, of the whole job
    (
        {"contact": {"email": "me"}},
        "NCBI_EMAIL: contact.email: 'me' is not an email address, like you@example.org.",
        "contact.email",
    ),
    (
        {"link": {"dbfrom": "pubmed", "mindate": "2001"}},
        "job.toml: link: mindate and maxdate go together (ELink ignores one alone).",
        "",
    ),
    (
        {"hop": [{"db": "a b"}]},
        "job.toml: hop 1: db: 'a b' is not a name; NCBI's names are like pubmed_pmc.",
        "",
    ),
    (
        {"hop": [{"db": "protein"}, {"db": "pmc", "mindate": "2001"}]},
        "job.toml: hop 2: mindate and maxdate go together (ELink ignores one alone).",
        "",
    ),
    (
        {"hop": [{"dbfrom": "pmc"}]},
        "job.toml: hop 1 leads to gene, but the next starts from pmc.",
        "",
    ),
    # a wrong type, a range, a word, a union
    ({"limits": {"rate": "x"}}, "limits.rate = 'x': should be a valid number.", "limits.rate"),
    ({"limits": {"rate": 0}}, "limits.rate = 0: should be greater than 0.", "limits.rate"),
    (
        {"output": {"path": "out", "format": "parqet"}},
        "job.toml: output.format = 'parqet': should be 'parquet' or 'jsonl' "
        "(did you mean 'parquet'?).",
        "output.format",
    ),
    (
        {"limits": {"concurrency": "atuo"}},
        "job.toml: limits.concurrency = 'atuo': should be 'auto' or a valid integer "
        "(did you mean 'auto'?).",
        "limits.concurrency",
    ),
    (
        {"hop": [{"reldate": "soon", "cmd": "x"}]},
        "job.toml: hop 1: cmd = 'x': should be 'neighbor', 'neighbor_score', "
        "'neighbor_history', 'acheck', 'ncheck', 'lcheck', 'llinks', 'llinkslib' or 'prlinks'.",
        "",
    ),
    # what is no plain value may hold a secret
    ({"contact": {"tool": {"k": "secret"}}}, "job.toml: contact.tool: should be a valid string.",
     "contact.tool"),
    ({"hop": [5]}, "job.toml: hop 1 = 5: should be a valid dictionary or instance of Link.", ""),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence", "field"), TABLE, ids=[row[1] for row in TABLE])
def test_a_problem_becomes_a_sentence(changes: dict[str, Any], sentence: str, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Job.model_validate({**GOOD, **changes})
    error = explain(caught.value, ORIGINS)
    assert (error.message, error.field) == (sentence, field)


def test_a_field_is_called_what_the_reader_calls_it() -> None:
    with pytest.raises(ValidationError) as caught:
        Job.model_validate({**GOOD, "link": {}})
    error = explain(caught.value)
    assert "give link.dbfrom, or" in str(error)
    assert "give --dbfrom, or" in str(error.named("--dbfrom"))
    assert "give dbfrom=, or" in str(error.named("--dbfrom").named("dbfrom="))


@pytest.mark.parametrize(
    ("loc", "place", "name"),
    [
        ((), Place(), ""),
        (("link",), Place("link"), "link"),
        (("limits", "concurrency", "constrained-int"), Place("limits", "concurrency"),
         "limits.concurrency"),
        (("hop",), Place("hop"), "hop"),
        (("hop", 0), Place("link", "", 1), "hop 1"),
        (("hop", 1, "db", 0), Place("link", "db", 2), "hop 2: db"),
    ],
)  # fmt: skip
def test_places(loc: tuple[str | int, ...], place: Place, name: str) -> None:
    found = Place.of({"loc": loc, "type": "missing", "msg": "", "input": None})
    assert found == place
    assert found.name == name
