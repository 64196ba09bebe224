"""A job from option, environment, job file and default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli_w
from support.jobs import BASE, LOCAL, SECRET, changed, refused

from harvester.job import load
from harvester.job.model import Job
from harvester.job.ncbi import BASE_URL as NCBI

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# --- precedence -----------------------------------------------------------------------------


def test_option_beats_environment_beats_file_beats_default(
    written: Callable[[str | bytes], Path],
) -> None:
    path = written(
        tomli_w.dumps(
            changed(contact={"email": "file@x.org", "tool": "file"}, limits={"timeout": 7})
        )
    )
    environ = {"NCBI_EMAIL": "environment@x.org", "HARVESTER_BASE_URL": "http://environment/"}
    options = {"contact": {"email": "option@x.org"}, "server": {"base_url": "http://option/"}}

    everything = load.build(options, path, environ)
    assert everything.contact.email == "option@x.org"
    assert everything.server.base_url == "http://option/"
    assert everything.contact.tool == "file"

    without_option = load.build({}, path, environ)
    assert without_option.contact.email == "environment@x.org"
    assert without_option.server.base_url == "http://environment/"

    without_environment = load.build({}, path, {})
    assert without_environment.contact.email == "file@x.org"
    assert without_environment.server.base_url == LOCAL["base_url"]
    assert without_environment.limits.timeout == 7
    assert without_environment.limits.max_attempts == 6


def test_an_option_changes_the_first_hop_of_a_chain_and_adds_none(
    written: Callable[[str | bytes], Path],
) -> None:
    hops = [{"dbfrom": "pubmed", "db": "gene", "linkname": "pubmed_gene"}, {"db": "protein"}]
    path = written(tomli_w.dumps({"hop": hops, "output": {"path": "out"}}))
    job = load.build({"link": {"dbfrom": "pmc", "linkname": "pmc_gene"}}, path, {})
    assert [(link.dbfrom, link.db, link.linkname) for link in job.chain.links] == [
        ("pmc", ["gene"], ["pmc_gene"]),
        ("gene", ["protein"], []),
    ]


def test_an_empty_variable_is_no_variable() -> None:
    job = load.build(
        changed(contact={"email": "a@b.org"}), None, {"NCBI_EMAIL": "", "HARVESTER_BASE_URL": ""}
    )
    assert job.contact.email == "a@b.org"
    assert job.server.base_url == LOCAL["base_url"]


def test_options_alone_are_enough() -> None:
    assert load.build(BASE, None, {}) == Job.model_validate(BASE)


def test_a_byte_order_mark_does_no_harm(written: Callable[[str | bytes], Path]) -> None:
    path = written(b"\xef\xbb\xbf" + tomli_w.dumps(BASE).encode())
    assert load.build({}, path, {}) == Job.model_validate(BASE)


# --- the key --------------------------------------------------------------------------------


_SPELLINGS = ["api_key", "api-key", "API_KEY", "apikey", "ApiKey", "apiKey", "API-Key", "key"]


@pytest.mark.parametrize("group", ["contact", "server", "limits", "link", "source", "output"])
@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_a_job_file_with_a_key_is_refused_and_the_key_is_not_repeated(
    written: Callable[[str | bytes], Path], group: str, spelling: str
) -> None:
    path = written(tomli_w.dumps(changed(**{group: {spelling: SECRET}})))
    assert refused({}, path) == (
        f"{path}: an API key does not belong in a job file; "
        "set the environment variable NCBI_API_KEY instead."
    )


@pytest.mark.parametrize(
    "text",
    [
        f'api_key = "{SECRET}"',
        f'NCBI_API_KEY = "{SECRET}"',
        f'[api]\nkey = "{SECRET}"',
        f'[contact]\nNCBI_API_KEY = "{SECRET}"',
        f'[contact]\n"api key" = "{SECRET}"',
        f'[contact]\napi_key = ["{SECRET}"]',
        f'[server]\nbase_url = "{NCBI}?api_key={SECRET}"',
        f'[server]\nbase_url = "https://{SECRET}@eutils.ncbi.nlm.nih.gov/"',
    ],
)
def test_a_key_in_other_places_is_refused_and_not_repeated(
    written: Callable[[str | bytes], Path], text: str
) -> None:
    options = {"link": {"dbfrom": "pubmed"}, "output": {"path": "out"}}
    assert SECRET not in refused(options, written(text + "\n"))


@pytest.mark.parametrize("text", ["NCBI_API_KEY = 'x'", "[contact]\nNCBI_API_KEY = 'x'"])
def test_the_variables_own_name_as_a_key_gets_the_same_remedy(
    written: Callable[[str | bytes], Path], text: str
) -> None:
    assert "environment variable NCBI_API_KEY" in refused(BASE, written(text))


@pytest.mark.parametrize(
    "text", [f'[contact]\nemail = {{api_key = "{SECRET}"}}', f'[link]\nterm = ["{SECRET}"]']
)
def test_a_key_inside_a_wrong_value_is_not_repeated(
    written: Callable[[str | bytes], Path], text: str
) -> None:
    assert SECRET not in refused(BASE, written(text))


def test_an_address_with_a_password_is_refused() -> None:
    assert "no user" in refused(changed(server={"base_url": f"http://:{SECRET}@localhost/"}))
