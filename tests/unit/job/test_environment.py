"""The environment sets what a job does not set, whichever function or command runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.jobs import BASE, LOCAL, SECRET

from harvester import Eutils, Job
from harvester.errors import BadInput
from harvester.job import load
from harvester.job.environment import api_key
from harvester.job.ncbi import BASE_URL as NCBI

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRON = {"NCBI_EMAIL": "environment@x.org", "HARVESTER_BASE_URL": "http://environment/"}


@pytest.mark.parametrize(
    ("value", "key"),
    [("", None), ("  ", None), (SECRET, SECRET), (f" {SECRET}\n", SECRET)],
)
def test_the_key_is_in_the_environment(value: str, key: str | None) -> None:
    assert api_key({"NCBI_API_KEY": value}) == key
    assert api_key({}) is None


@pytest.mark.parametrize("between", [" ", "\n", "\t", "\0", "é", "\x1b"])
def test_a_key_that_cannot_be_one_is_refused_and_not_repeated(between: str) -> None:
    with pytest.raises(BadInput) as caught:
        api_key({"NCBI_API_KEY": f"{SECRET}{between}{SECRET}"})
    assert str(caught.value) == (
        "NCBI_API_KEY holds blanks or other characters that no API key has; set it to the key "
        "alone."
    )


def _in_python(given: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str | None, str]:
    job = load.resolve(Job.model_validate({**BASE, "server": {}, **given}), environ)
    return job.contact.email, job.server.base_url


def _in_options(given: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str | None, str]:
    job = load.build({**BASE, "server": {}, **given}, None, environ)
    return job.contact.email, job.server.base_url


def _in_access(given: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str | None, str]:
    access = load.build_access(dict(given), environ)
    return access.contact.email, access.server.base_url


@pytest.mark.parametrize("way", [_in_python, _in_options, _in_access])
@pytest.mark.parametrize(
    ("given", "environ", "found"),
    [
        ({}, {}, (None, NCBI)),
        ({}, {"NCBI_EMAIL": "", "HARVESTER_BASE_URL": ""}, (None, NCBI)),
        ({}, ENVIRON, ("environment@x.org", "http://environment/")),
        ({"contact": {"email": "me@x.org"}}, ENVIRON, ("me@x.org", "http://environment/")),
        ({"contact": {"tool": "mine"}}, ENVIRON, ("environment@x.org", "http://environment/")),
        ({"server": {"base_url": NCBI}}, ENVIRON, ("environment@x.org", NCBI)),
    ],
)
def test_explicit_beats_environment_beats_default(
    way: Any, given: Mapping[str, Any], environ: Mapping[str, str], found: tuple[str | None, str]
) -> None:
    assert way(given, environ) == found


def test_eutils_keeps_the_same_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    assert repr(Eutils()) == "Eutils('http://environment/')"
    assert repr(Eutils(base_url="http://argument/")) == "Eutils('http://argument/')"


def test_other_keys_of_the_job_stay() -> None:
    given = {**BASE, "contact": {"tool": "mine"}, "server": {}, "limits": {"timeout": 7}}
    job = load.resolve(Job.model_validate(given), ENVIRON)
    assert (job.contact.tool, job.limits.timeout) == ("mine", 7)
    assert load.resolve(job, {"NCBI_EMAIL": "later@x.org"}) == job


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"NCBI_EMAIL": "me"}, "NCBI_EMAIL: contact.email: 'me' is not an email address"),
        ({"HARVESTER_BASE_URL": "h"}, "HARVESTER_BASE_URL: server.base_url: 'h' is not an address"),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], sentence: str) -> None:
    unset = {**BASE, "server": {}}
    with pytest.raises(BadInput, match=sentence):
        load.resolve(Job.model_validate(unset), environ)
    with pytest.raises(BadInput, match=sentence):
        load.build(unset, None, environ)
    assert load.resolve(Job.model_validate({**BASE, "server": LOCAL}), {}).server.base_url
