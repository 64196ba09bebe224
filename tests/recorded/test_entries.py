"""The readers of the other cmds on every recorded answer, and on the emulator's in both forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.recorded_answers import body_of, names
from support.recorded_entries import by_biopython, by_elementtree, history_by_json, plain

from harvester.emulator.answers import linksets as emulated
from harvester.emulator.answers.elink_json import elink_json
from harvester.emulator.answers.elink_xml import elink_xml
from harvester.eutils.elink.readers import acheck, checks, history, urls
from harvester.eutils.parsing import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.eutils.elink.entries import Entries

    Read = Callable[[bytes], Entries]

READ: dict[str, tuple[Read, Read]] = {
    "acheck": (acheck.read_json, acheck.read_xml),
    "ncheck": (checks.NCHECK.read_json, checks.NCHECK.read_xml),
    "lcheck": (checks.LCHECK.read_json, checks.LCHECK.read_xml),
    "urls": (urls.read_json, urls.read_xml),
    "history": (history.read_json, history.read_xml),
}
_SIGNS = {
    "LinkInfo": "acheck", "linkinfos": "acheck", "HasNeighbor": "ncheck", "hasneighbor": "ncheck",
    "HasLinkOut": "lcheck", "haslinkout": "lcheck", "IdUrlSet": "urls", "idurllist": "urls",
    "LinkSetDbHistory": "history", "linksetdbhistories": "history",
}  # fmt: skip


def _cmd(name: str) -> str | None:
    """Return the cmd of a recorded response, from words that no other cmd has."""
    body = body_of(name).decode()
    return next((cmd for sign, cmd in _SIGNS.items() if sign in body), None)


XML = [(name, cmd) for name in names("xml") if (cmd := _cmd(name))]
JSON = [(name, cmd) for name in names("json") if (cmd := _cmd(name))]
PAIRS = [(name, cmd) for name, cmd in XML if name.startswith("Klortho-elink-jsonld/")]


def test_recordings_exist() -> None:
    assert {cmd for _, cmd in XML} == set(READ)
    assert len(XML) >= 20
    assert len(JSON) >= 8


@pytest.mark.parametrize(("name", "cmd"), XML)
def test_xml_agrees_with_elementtree(name: str, cmd: str) -> None:
    found = READ[cmd][1](body_of(name))
    assert plain(found) == by_elementtree(body_of(name), cmd)
    assert found.error is None
    assert set(found.errors) == {None}


@pytest.mark.parametrize(("name", "cmd"), XML)
def test_xml_agrees_with_biopython(name: str, cmd: str) -> None:
    found = READ[cmd][1](body_of(name))
    assert list(zip(found.ids, found.counts, strict=True)) == by_biopython(body_of(name), cmd)


@pytest.mark.parametrize(("name", "cmd"), PAIRS)
def test_both_forms_of_one_answer_give_the_same(name: str, cmd: str) -> None:
    read_json, read_xml = READ[cmd]
    found = read_xml(body_of(name))
    assert len(found.rows) > 0
    assert read_json(body_of(name.replace(".xml", ".json"))) == found


@pytest.mark.parametrize("name", [name for name, cmd in JSON if cmd == "history"])
def test_recorded_history_agrees_with_json(name: str) -> None:
    found = history.read_json(body_of(name))
    assert plain(found) == history_by_json(body_of(name))
    assert set(found.errors) == {None}


@pytest.mark.parametrize(
    ("name", "cmd"),
    [
        ("Klortho-elink-jsonld/sample-4.json", "acheck"),
        ("Klortho-elink-jsonld/sample-5.xml", "history"),
        ("Klortho-elink-jsonld/sample-6.json", "ncheck"),
        ("bioperl-Bio-EUtilities/elink_lcheck.xml", "lcheck"),
        ("biopython-biopython/elink5.xml", "urls"),
    ],
)
def test_a_recorded_answer_cut_anywhere_is_unreadable(name: str, cmd: str) -> None:
    body = body_of(name)
    read = READ[cmd][name.endswith("xml")]
    for cut in range(len(body.rstrip())):
        with pytest.raises(Unreadable):
            read(body[:cut])


def test_a_template_is_kept_as_it_is() -> None:
    found = acheck.read_xml(body_of("bioperl-Bio-EUtilities/elink_acheck.xml"))
    assert found.rows["url"][2].as_py().endswith("precalc&SEQUENCE=<@UID@>")


def test_a_provider_without_address_is_one() -> None:
    found = urls.read_xml(body_of("biopython-biopython/elink5.xml"))
    assert found.rows["provider_url"].to_pylist() == [None]
    assert found.rows["provider_id"].to_pylist() == ["7898"]


# --- the emulator's answers -------------------------------------------------------------------

_PROVIDER = emulated.Provider("A & B <i>", "ab", "7", "https://ab.example.org/?x=1&amp;y=2")
_URL = emulated.ObjUrl(
    "https://x.example.org/?a=1&b=<2>&amp;c", _PROVIDER, "/icon.gif", "ExternalLink",
    ("aggregators",), ("Full Text & more", "Other"), ("free",),
)  # fmt: skip
_BARE = emulated.ObjUrl("https://y.example.org/", emulated.Provider("Y", "y", "8"))
_INFO = emulated.LinkInfo("cdd", "a_cdd", "M & N", "", "55", "https://z.example.org/?u=<@UID@>&v")
_EMULATED = {
    "acheck": emulated.LinkSet("a", infos=[("1", [_INFO, _INFO]), ("2", []), ("3", [_INFO])]),
    "ncheck": emulated.LinkSet("a", check="HasNeighbor", checks=[("1", "Y"), ("2", "N")]),
    "lcheck": emulated.LinkSet("a", check="HasLinkOut", checks=[("1", "N"), ("2", "Y")]),
    "urls": emulated.LinkSet("a", urls=[("1", [_URL, _BARE]), ("2", []), ("3", [_BARE])]),
    "history": emulated.LinkSet(
        "a", ["1", "2"], webenv="MCID_1",
        histories=[emulated.LinkSetDbHistory("b", "a_b", "1")],
    ),
}  # fmt: skip
_COUNTS = {"acheck": [2, 0, 1], "ncheck": [1, 1], "lcheck": [1, 1], "urls": [2, 0, 1]}


@pytest.mark.parametrize("cmd", READ)
def test_both_forms_of_the_emulators_answers_give_the_same(cmd: str) -> None:
    nobody = emulated.LinkSet("a", [], errors=["BLOB ID IS\nNOT IMPLEMENTED"])
    extra = emulated.LinkSet(None, None)
    linksets = [_EMULATED[cmd], nobody, extra]
    read_json, read_xml = READ[cmd]
    found, same = read_json(elink_json(linksets)), read_xml(elink_xml(linksets))
    assert found.rows.equals(same.rows)
    assert (found.ids, found.counts) == (same.ids, same.counts)
    assert [bool(error) for error in found.errors] == [bool(error) for error in same.errors]
    assert found.counts == [*_COUNTS.get(cmd, [1]), 0, 0]
    assert found.ids[-2:] == [[], []]
    assert [bool(error) for error in found.errors[-2:]] == [True, False]


@pytest.mark.parametrize("form", [0, 1])
def test_texts_are_decoded_once(form: int) -> None:
    body = (elink_json, elink_xml)[form]([_EMULATED["urls"], _EMULATED["acheck"]])
    row = READ["urls"][form](body).rows.to_pylist()[0]
    assert row["url"] == _URL.url
    assert row["provider_url"] == _PROVIDER.url
    assert row["provider_name"] == _PROVIDER.name
    assert row["categories"] == ["Full Text & more", "Other"]
    assert READ["acheck"][form](body).rows["url"][0].as_py() == _INFO.url


@pytest.mark.parametrize("cmd", READ)
@pytest.mark.parametrize("form", [0, 1])
def test_an_error_for_all_is_one(cmd: str, form: int) -> None:
    body = (elink_json, elink_xml)[form]([], "address table\n is empty")
    found = READ[cmd][form](body)
    assert found.ids == []
    assert found.error is not None
    assert found.error.split() == ["address", "table", "is", "empty"]
