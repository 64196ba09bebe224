"""Answers made up by hypothesis, and written down as NCBI writes them, in many layouts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from support.recorded_answers import Answer, LinkSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.recorded_answers import Link

PROLOGS = [
    "",
    '<?xml version="1.0"?>\n',
    '<?xml version="1.0" encoding="UTF-8" ?>\n'
    '<!DOCTYPE eLinkResult PUBLIC "-//NLM//DTD elink 20101123//EN" '
    '"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20101123/elink.dtd">\n',
    '<?xml version="1.0"?>\n<!-- an example -->\n'
    '<!DOCTYPE eLinkResult PUBLIC "-//NLM//DTD eLinkResult, 11 May 2002//EN" '
    '"http://www.ncbi.nlm.nih.gov/entrez/query/DTD/eLink_020511.dtd">\n',
]


@dataclass
class Db:
    """One LinkSetDb: links, or a note, or an error in their place."""

    dbto: str
    linkname: str
    links: list[Link] = field(default_factory=list)
    info: str | None = None
    error: str | None = None


@dataclass
class Made:
    """One LinkSet to be written down."""

    dbfrom: str
    ids: list[int]
    dbs: list[Db]
    error: str | None = None


@dataclass
class Script:
    """A whole answer to be written down."""

    linksets: list[Made]
    error: str | None = None

    def truth(self) -> Answer:
        """What a reader must find."""
        return Answer([_truth(one) for one in self.linksets], self.error)


def _truth(made: Made) -> LinkSet:
    lists = [(db.dbto, db.linkname, db.links) for db in made.dbs if db.links]
    errors = [made.error, *(db.error for db in made.dbs)]
    first = next((error for error in errors if error), None)
    return LinkSet([str(uid) for uid in made.ids], lists, first)


# --- what may be in an answer ---------------------------------------------------------------

_NAMES = st.sampled_from(["pmc", "pubmed", "gene", "pubmed_pmc", "pubmed_pmc_refs", "a_b_c"])
_TO = st.one_of(st.integers(1, 99), st.integers(1, 2**63 - 1))
_ERROR = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=30
).map(lambda text: " ".join(text.split()) or "x")


def scripts(uids: st.SearchStrategy[int] | None = None) -> st.SearchStrategy[Script]:
    """Answers of every shape the readers may meet; all with scores, or all without."""
    ids = st.integers(0, 2**63 - 1) if uids is None else uids
    return st.booleans().flatmap(
        lambda scored: st.builds(
            Script,
            st.lists(_made(ids, scored=scored), max_size=5),
            st.one_of(st.none(), st.none(), _ERROR),
        )
    )


def _made(ids: st.SearchStrategy[int], *, scored: bool) -> st.SearchStrategy[Made]:
    one = ids.map(lambda uid: [uid])
    return st.builds(
        Made,
        _NAMES,
        st.one_of(one, one, one, st.lists(ids, max_size=3)),
        st.lists(_db(scored=scored), max_size=4),
        st.one_of(st.none(), st.none(), st.none(), _ERROR),
    )


def _db(*, scored: bool) -> st.SearchStrategy[Db]:
    score = st.integers(0, 2**31) if scored else st.none()
    links = st.lists(st.tuples(_TO, score), min_size=1, max_size=6)
    return st.one_of(
        st.builds(Db, _NAMES, _NAMES, links),
        st.builds(Db, _NAMES, _NAMES, links),
        st.builds(Db, _NAMES, _NAMES, st.just([]), st.just("No filtered links")),
        st.builds(Db, _NAMES, _NAMES, st.just([]), st.none(), _ERROR),
    )


# --- JSON -----------------------------------------------------------------------------------


def as_json(script: Script, *, indent: int | None, ascii_only: bool, numbers: bool) -> bytes:
    """By Python's own writer: minified or laid out, ids as texts or, as in 2015, as numbers."""
    uid: Callable[[int], object] = (lambda n: n) if numbers else str
    document: dict[str, Any] = {"header": {"type": "elink", "version": "0.3"}}
    document["linksets"] = [_json_linkset(one, uid) for one in script.linksets]
    if script.error:
        document["ERROR"] = script.error
    separators = (",", ":") if indent is None else None
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=ascii_only)
    return (text + "\n").encode()


def _json_linkset(made: Made, uid: Callable[[int], object]) -> dict[str, Any]:
    written: dict[str, Any] = {"dbfrom": made.dbfrom, "ids": [uid(one) for one in made.ids]}
    if made.dbs:
        written["linksetdbs"] = [_json_db(db, uid) for db in made.dbs]
    if made.error:
        written["ERROR"] = made.error
    return written


def _json_db(db: Db, uid: Callable[[int], object]) -> dict[str, Any]:
    written: dict[str, Any] = {"dbto": db.dbto, "linkname": db.linkname}
    if db.error:
        return written | {"ERROR": db.error}
    if db.info:
        return written | {"info": db.info}
    links = [
        uid(to) if score is None else {"id": uid(to), "score": score} for to, score in db.links
    ]
    return written | {"links": links}


# --- XML ------------------------------------------------------------------------------------


def as_xml(script: Script, *, prolog: str, gap: str, pad: str, late_error: bool) -> bytes:
    """With `gap` between elements, `pad` around ids, and a LinkSet's ERROR early or last."""
    linksets = "".join(gap + _xml_linkset(one, gap, pad, late_error) for one in script.linksets)
    error = gap + _element("ERROR", script.error) if script.error else ""
    return f"{prolog}<eLinkResult>{linksets}{error}{gap}</eLinkResult>\n".encode()


def _xml_linkset(made: Made, gap: str, pad: str, late_error: bool) -> str:
    ids = gap.join(_element("Id", f"{pad}{uid}{pad}") for uid in made.ids)
    error = _element("ERROR", made.error) if made.error else ""
    parts = [
        _element("DbFrom", made.dbfrom),
        f"<IdList>{gap}{ids}{gap}</IdList>",
        "" if late_error else error,
        *(_xml_db(db, gap, pad) for db in made.dbs),
        error if late_error else "",
    ]
    return f"<LinkSet>{gap.join(parts)}{gap}</LinkSet>"


def _xml_db(db: Db, gap: str, pad: str) -> str:
    links = gap.join(_xml_link(link, gap, pad) for link in db.links)
    info = _element("Info", db.info) if db.info else ""
    error = _element("ERROR", db.error) if db.error else ""
    names = _element("DbTo", db.dbto) + gap + _element("LinkName", db.linkname)
    return f"<LinkSetDb>{gap}{names}{gap}{links}{info}{error}{gap}</LinkSetDb>"


def _xml_link(link: Link, gap: str, pad: str) -> str:
    to, score = link
    written = "" if score is None else gap + _element("Score", str(score))
    return f"<Link>{gap}{_element('Id', f'{pad}{to}{pad}')}{written}{gap}</Link>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
