"""The catalogue: EInfo is requested once a day; bad cache files are ignored."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, cast

import pytest

from harvester.client.catalogue import DAY, Catalogue, together
from harvester.errors import Fault, RequestFailed
from harvester.eutils import einfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harvester.client.client import Client

LINK = {"name": "a_b", "menu": "A to B", "description": "from a", "dbto": "b"}
FIELD = {"name": "ALL", "fullname": "All", "termcount": "", "isdate": "N", "ishidden": "Y"}
INFO = {
    "dbname": "a",
    "menuname": "An A",
    "description": "told \u001b[31m red",
    "dbbuild": "Build-1",
    "count": "12",
    "lastupdate": "2025/11/27 06:33",
    "fieldlist": [FIELD],
    "linklist": [LINK],
}


class Server:
    """Knows the databases a and b; counts the requests about each."""

    def __init__(self, base_url: str = "http://one/") -> None:
        self.base_url = base_url
        self.asked: list[str] = []
        self.databases = ["a", "b", "not a name", "../c"]

    async def call(
        self, path: str, fields: dict[str, str], read: Callable[[bytes], object], attempts: int
    ) -> object:
        assert path == einfo.PATH
        assert attempts == 2
        db = fields["db"] or ""
        self.asked.append(db)
        await asyncio.sleep(0)
        told = {"": {"dblist": self.databases}, "a": {"dbinfo": INFO}, "b": {"dbinfo": [INFO]}}
        unknown = {"ERROR": f"Can not retrieve DbInfo for db={db}"}
        return read(json.dumps({"einforesult": told.get(db, unknown)}).encode())


def _catalogue(server: Server, folder: Path, at: float = 1000.0) -> Catalogue:
    return Catalogue(cast("Client", server), folder, lambda: at, 2)


def test_nothing_is_asked_twice_a_day(tmp_path: Path) -> None:
    server = Server()

    async def look(at: float) -> object:
        catalogue = _catalogue(server, tmp_path / "new", at)
        unknown = await catalogue.info("c")
        return await catalogue.databases(), await catalogue.infos(), unknown

    first = asyncio.run(look(1000.0))
    assert sorted(server.asked) == ["", "a", "b", "c"]
    assert asyncio.run(look(1000.0 + DAY - 1)) == first
    assert len(server.asked) == 4
    assert asyncio.run(look(1000.0 + DAY)) == first
    assert len(server.asked) == 8
    assert len(list((tmp_path / "new").iterdir())) == 4


def test_a_clock_that_was_set_back_is_not_believed(tmp_path: Path) -> None:
    server = Server()
    asyncio.run(_catalogue(server, tmp_path, 5000.0).databases())
    asyncio.run(_catalogue(server, tmp_path, 4000.0).databases())
    assert server.asked == ["", ""]


def test_servers_are_kept_apart(tmp_path: Path) -> None:
    one, other = Server(), Server("http://other/")
    other.databases = ["x"]
    assert asyncio.run(_catalogue(one, tmp_path).databases()) == ["a", "b"]
    assert asyncio.run(_catalogue(other, tmp_path).databases()) == ["x"]
    assert asyncio.run(_catalogue(one, tmp_path).databases()) == ["a", "b"]


def test_texts_of_einfo_are_made_printable(tmp_path: Path) -> None:
    info = asyncio.run(_catalogue(Server(), tmp_path).info("a"))
    assert info is not None
    assert info.description == "told ?[31m red"
    assert (info.count, info.menu_name, info.build) == (12, "An A", "Build-1")
    assert [(link.name, link.dbto) for link in info.links] == [("a_b", "b")]
    assert [(one.name, one.terms, one.is_hidden) for one in info.fields] == [("ALL", None, True)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "null",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"version":1', '"version":0'),
        lambda text: text.replace("http://one/", "http://two/"),
        lambda text: text.replace('"at":1000.0', '"at":"never"'),
        lambda text: text.replace('["a","b"]', "[]"),
    ],
)
def test_a_damaged_file_is_as_none(tmp_path: Path, damage: Callable[[str], str]) -> None:
    server = Server()
    asyncio.run(_catalogue(server, tmp_path).databases())
    (path,) = tmp_path.iterdir()
    before = path.read_text()
    assert damage(before) != before
    path.write_text(damage(before))
    assert asyncio.run(_catalogue(server, tmp_path).databases()) == ["a", "b"]
    assert server.asked == ["", ""]
    assert path.read_text() == before


def test_a_folder_that_cannot_be_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    server = Server()
    for _ in range(2):
        found = asyncio.run(_catalogue(server, tmp_path / "file" / "cache").databases())
        assert found == ["a", "b"]
    assert server.asked == ["", ""]


def test_a_server_that_lists_no_names_lists_nothing(tmp_path: Path) -> None:
    server = Server()
    server.databases = ["not a name"]
    with pytest.raises(RequestFailed, match="lists no databases"):
        asyncio.run(_catalogue(server, tmp_path).databases())
    assert not list(tmp_path.iterdir())


def test_the_first_failure_ends_the_others() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("wait")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise RequestFailed(Fault.SERVER, "no")

    with pytest.raises(RequestFailed, match="no"):
        asyncio.run(together([wait(), fail()]))
    assert ended == ["wait"]
