"""NCBI's rules, for every way of sending requests: https, a contact email, and the rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.jobs import LOCAL, SECRET

from harvester import Eutils, Job, harvest, records, stream
from harvester.errors import BadInput
from harvester.job.groups import Access
from harvester.job.ncbi import BASE_URL as NCBI
from harvester.job.permission import check_permitted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_EMAIL = "NCBI requires a contact email"
HTTP = NCBI.replace("https", "http")

BROKEN: list[tuple[dict[str, dict[str, Any]], str]] = [
    ({}, NO_EMAIL),
    ({"contact": {"email": "a@b.org"}, "server": {"base_url": HTTP}}, "over https only"),
    ({"contact": {"email": "a@b.org"}, "limits": {"rate": 50}}, "3 requests per second"),
]


def _check(environ: dict[str, str] | None = None, **groups: dict[str, Any]) -> None:
    access = Access.model_validate(groups)
    check_permitted(access.contact, access.server, access.limits, environ or {})


def test_ncbi_is_not_asked_without_an_email() -> None:
    with pytest.raises(BadInput) as refused:
        _check()
    assert str(refused.value.named("--email")) == (
        "NCBI requires a contact email: give --email, or set the environment variable NCBI_EMAIL."
    )


def test_ncbi_is_not_asked_over_http() -> None:
    with pytest.raises(BadInput, match=f"give {NCBI}, or leave it out"):
        _check(contact={"email": "a@b.org"}, server={"base_url": HTTP})


@pytest.mark.parametrize(
    ("limits", "key", "permitted"),
    [
        ({"rate": 3}, "", True),
        ({"rate": 3.1}, "", False),
        ({"rate": 10}, "", False),
        ({"rate": 10}, "k", True),
        ({"rate": 10.5}, "k", False),
        ({"rate": 50, "rate_granted": True}, "k", True),
        ({"rate": 50, "rate_granted": True}, "", True),
        ({}, "", True),
    ],
)
def test_a_higher_rate_to_ncbi_must_have_been_granted(
    limits: dict[str, Any], key: str, permitted: bool
) -> None:
    groups = {"contact": {"email": "a@b.org"}, "limits": limits}
    environ = {"NCBI_API_KEY": key}
    if permitted:
        _check(environ, **groups)
        return
    with pytest.raises(BadInput) as refused:
        _check(environ, **groups)
    said = str(refused.value.named("--rate-granted"))
    assert f"not {limits['rate']:g}" in said
    assert "add --rate-granted" in said
    assert ("NCBI_API_KEY" in said) is (not key)


def test_another_server_may_be_asked_without_email_and_at_any_rate() -> None:
    _check(server=LOCAL, limits={"rate": 500})


def test_a_malformed_key_is_refused_for_every_server() -> None:
    with pytest.raises(BadInput, match="NCBI_API_KEY holds blanks"):
        _check({"NCBI_API_KEY": f"{SECRET} {SECRET}"}, server=LOCAL)


async def _harvest(job: Job) -> None:
    await harvest(job)


async def _stream(job: Job) -> None:
    async for _ in stream(job):
        pytest.fail("somebody was asked")


async def _records(job: Job) -> None:
    await records(job)


async def _eutils(job: Job) -> None:
    Eutils(job.contact.email, base_url=job.server.base_url, rate=job.limits.rate)


@pytest.mark.parametrize(("groups", "sentence"), BROKEN, ids=[said for _, said in BROKEN])
@pytest.mark.parametrize("ask", [_harvest, _stream, _records, _eutils])
async def test_the_rules_hold_for_every_way_in(
    ask: Callable[[Job], Any],
    groups: dict[str, dict[str, Any]],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No address is resolved, no connection opened, no file written."""
    for name in ("NCBI_EMAIL", "NCBI_API_KEY", "HARVESTER_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("getaddrinfo", "socket"):
        monkeypatch.setattr(f"socket.{name}", lambda *_, **__: pytest.fail("somebody was asked"))
    ids, out = tmp_path / "ids", tmp_path / "out"
    ids.write_text("1\n")
    given = {
        "link": {"dbfrom": "pubmed"},
        "source": {"ids": ids},
        "output": {"path": out},
    }
    with pytest.raises(BadInput, match=sentence):
        await ask(Job.model_validate(given | groups))
    assert not out.exists()
