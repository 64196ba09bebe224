"""The picture of the link graph: well-formed, complete, reproducible, and safe."""

from __future__ import annotations

import random
from xml.etree import ElementTree as ET

from harvester.cli.link_graph import SIZE, picture
from harvester.eutils.einfo import DbInfo, DbLink

SVG = "{http://www.w3.org/2000/svg}"


def _info(name: str, *links: tuple[str, str]) -> DbInfo:
    return DbInfo(name, name.title(), count=5, links=tuple(DbLink(n, dbto=to) for n, to in links))


INFOS = [
    _info("a", ("a_a", "a"), ("a_b", "b"), ("a_b_more", "b"), ("a_gone", "gone")),
    _info("b", ("b_a", "a")),
    _info("c"),
]


def _titles(svg: str, tag: str) -> list[str]:
    return [element.findtext(f"{SVG}title", "") for element in ET.fromstring(svg).iter(SVG + tag)]


def test_each_pair_is_a_curve_that_names_its_links() -> None:
    assert sorted(_titles(picture(INFOS), "path")) == [
        "a → b: a_b, a_b_more\nb → a: b_a",
        "a → gone: a_gone",
    ]


def test_databases_are_named_and_counted() -> None:
    drawn = picture(INFOS)
    assert _titles(drawn, "circle") == [
        "a → a: a_a",
        "a: 5 linknames, 5 records",
        "b: 3 linknames, 5 records",
        "gone: 1 linknames, not listed by EInfo",
        "c: 0 linknames, 5 records",
    ]
    labels = [element.text for element in ET.fromstring(drawn).iter(SVG + "text")]
    assert labels[2:] == ["a", "b", "gone", "c"]
    assert "5 linknames between 4 databases" in drawn


def test_a_curve_of_more_linknames_is_wider() -> None:
    wide, narrow = (
        float(path.attrib["stroke-width"])
        for path in ET.fromstring(picture(INFOS)).iter(SVG + "path")
    )
    assert wide > narrow > 0


def test_the_order_of_what_is_told_does_not_matter() -> None:
    shuffled = [DbInfo(i.name, i.menu_name, count=i.count, links=i.links[::-1]) for i in INFOS]
    random.Random(1).shuffle(shuffled)
    assert picture(shuffled) == picture(INFOS)


def test_what_a_server_names_cannot_break_out() -> None:
    evil = '"><script>alert(1)</script>&\x1b'
    drawn = picture([_info(evil, (evil, evil), (evil, "b"))])
    root = ET.fromstring(drawn)
    assert not list(root.iter(SVG + "script"))
    assert "\x1b" not in drawn


def test_all_elements_are_inside_the_picture() -> None:
    """Also labels of twelve letters in a bold 13 px font."""
    infos = [_info(f"database{n:04}", (f"l{n}", "database0000")) for n in range(45)]
    for label in ET.fromstring(picture(infos)).iter(SVG + "text"):
        x, y = float(label.attrib["x"]), float(label.attrib["y"])
        assert 0 < x < SIZE
        assert 0 < y < SIZE
        if "transform" in label.attrib:
            assert ((x - SIZE / 2) ** 2 + (y - SIZE / 2) ** 2) ** 0.5 + 12 * 9 < SIZE / 2


def test_nothing_to_draw_is_a_picture_too() -> None:
    assert "0 linknames, 0 databases" in picture([])
