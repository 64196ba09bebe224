"""`limits.limiter`: the address of a Redis, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harvester.errors import BadInput
from harvester.job import load
from harvester.job import permission as permission_module
from harvester.job.groups import Contact, Limits, Server
from harvester.job.permission import check_permitted

if TYPE_CHECKING:
    from pathlib import Path

LINK = {"dbfrom": "pubmed", "db": "pmc"}


def limiter(text: str) -> str | None:
    options = {"link": LINK, "output": {"path": "o"}, "limits": {"limiter": text}}
    return load.build(options, environ={}).limits.limiter


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("redis://localhost", "redis://localhost:6379/0"),
        ("redis://localhost/", "redis://localhost:6379/0"),
        ("redis://10.0.0.7:7000/3", "redis://10.0.0.7:7000/3"),
        ("REDIS://Cache.example.org/12", "redis://cache.example.org:6379/12"),
        ("redis://[::1]:6380/0", "redis://[::1]:6380/0"),
    ],
)
def test_port_and_database_are_filled_in(text: str, whole: str) -> None:
    assert limiter(text) == whole


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:6379", "rediss://localhost", "memcached://localhost", "localhost:6379",
        "redis://", "redis:///0", "redis://host:0", "redis://host:70000", "redis://host:x",
        "redis://host/db", "redis://host/0?x=1", "redis://host/0#x", "redis://a b", "", "redis://h/-1",
        "unix:///tmp/redis", "redis://h\x1b[31m",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_and_an_example_is_given(text: str) -> None:
    with pytest.raises(BadInput, match="redis://localhost:6379/0") as caught:
        limiter(text)
    assert "\x1b" not in str(caught.value)
    assert caught.value.field == "limits.limiter"


@pytest.mark.parametrize(
    "text", ["redis://:hunter2@host:6379/0", "redis://me:hunter2@host", "http://me:hunter2@host"]
)
def test_a_password_is_refused_and_not_repeated(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="HARVESTER_REDIS_PASSWORD") as caught:
        limiter(text)
    assert "hunter2" not in str(caught.value)
    job = tmp_path / "job.toml"
    job.write_text(f'[limits]\nlimiter = "{text}"\n')
    with pytest.raises(BadInput, match="HARVESTER_REDIS_PASSWORD") as caught:
        load.build({"link": LINK, "output": {"path": "o"}}, job, environ={})
    assert "hunter2" not in str(caught.value)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission_module, "find_spec", lambda name: None)
    limits = Limits(limiter="redis://localhost")
    with pytest.raises(BadInput, match=r"pip install 'elink-harvester\[redis\]'"):
        check_permitted(Contact(), Server(base_url="http://localhost:1/"), limits, {})
    check_permitted(Contact(), Server(base_url="http://localhost:1/"), Limits(), {})
