"""ELink responses of a known size in NCBI's format, built without the code under test.

Every UID has a list of links from a pool of them; each list is drawn and written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

UIDS, LINKS = 200, 150
"""Links per UID with many links: related articles."""

FEW = 0.3
"""Links per UID with few links: articles with full text."""

FIRST = 20_000_000
_LISTS = 997
_JSON_HEAD = b'{"header":{"type":"elink","version":"0.3"},"linksets":['
_XML_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE eLinkResult PUBLIC '
    b'"-//NLM//DTD elink 20101123//EN" '
    b'"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20101123/elink.dtd">\n<eLinkResult>\n'
)


@dataclass(frozen=True, slots=True)
class _List:
    """Return the serialised links of some UIDs."""

    targets: list[int]
    json: bytes
    scored_json: bytes
    xml: bytes
    scored_xml: bytes


class Answers:
    """Responses to requests by repeated `id`.

    Args:
        links: of each UID, in the mean: of a fraction, some have one and others none.
        db: the database linked to; the linkname is made of it.
    """

    def __init__(self, links: float, db: str = "pubmed") -> None:
        self.db = db if links >= 1 else "pmc"
        rng = np.random.default_rng(0)
        sizes = [round(links)] * _LISTS if links >= 1 else list(rng.random(_LISTS) < links)
        self._lists = [self._write(_targets(rng, int(size))) for size in sizes]

    def __call__(self, uids: list[int], *, xml: bool = False, scores: bool = False) -> bytes:
        """Return the response for some UIDs."""
        lists = [self._lists[uid % _LISTS] for uid in uids]
        if xml:
            parts = [one.scored_xml if scores else one.xml for one in lists]
            sets = [part % uid for uid, part in zip(uids, parts, strict=True)]
            return _XML_HEAD + b"".join(sets) + b"\n</eLinkResult>\n"
        parts = [one.scored_json if scores else one.json for one in lists]
        sets = [part % uid for uid, part in zip(uids, parts, strict=True)]
        return _JSON_HEAD + b",".join(sets) + b"]}\n"

    def merged(self, uids: list[int], *, xml: bool = False) -> bytes:
        """Return the response for UIDs joined by commas: one LinkSet without pairs."""
        targets, names = self.union(uids), [b"%d" % uid for uid in uids]
        if xml:
            one = self._xml(targets, "", scored=False)
            one = one.replace(b"%d", b"</Id>\n      <Id>".join(names))
            return _XML_HEAD + one + b"\n</eLinkResult>\n"
        one = self._json([f'"{target}"' for target in targets])
        return _JSON_HEAD + one.replace(b"%d", b'","'.join(names)) + b"]}\n"

    def union(self, uids: Iterable[int]) -> list[int]:
        """Return the distinct UIDs that some UIDs link to."""
        return sorted({target for uid in uids for target in self.targets(uid)})

    def targets(self, uid: int) -> list[int]:
        """Return the linked UIDs in order."""
        return self._lists[uid % _LISTS].targets

    def total(self, uids: range) -> int:
        """Return the number of links of some UIDs."""
        sizes = np.array([len(one.targets) for one in self._lists])
        return int(sizes[np.array(uids) % _LISTS].sum())

    def _write(self, targets: list[int]) -> _List:
        return _List(
            targets,
            self._json([f'"{target}"' for target in targets]),
            self._json([f'{{"id":"{t}","score":{10**7 - at}}}' for at, t in enumerate(targets)]),
            self._xml(targets, "", scored=False),
            self._xml(targets, "\n\t\t\t\t<Score>%d</Score>", scored=True),
        )

    def _json(self, links: list[str]) -> bytes:
        dbs = (
            f',"linksetdbs":[{{"dbto":"{self.db}","linkname":"pubmed_{self.db}",'
            f'"links":[{",".join(links)}]}}]'
            if links
            else ""
        )
        return b'{"dbfrom":"pubmed","ids":["%%d"]%b}' % dbs.encode()

    def _xml(self, targets: list[int], score: str, *, scored: bool) -> bytes:
        rows = "".join(
            f"<Link>\n\t\t\t\t<Id>{target}</Id>{score % (10**7 - at) if scored else ''}"
            "\n\t\t\t</Link>\n        "
            for at, target in enumerate(targets)
        )
        dbs = (
            f"    <LinkSetDb>\n      <DbTo>{self.db}</DbTo>\n      <LinkName>pubmed_{self.db}"
            f"</LinkName>\n      \n        {rows}\n    </LinkSetDb>\n"
            if targets
            else ""
        )
        return (
            "\n  <LinkSet>\n    <DbFrom>pubmed</DbFrom>\n    <IdList>\n      <Id>%d</Id>\n"
            f"    </IdList>\n{dbs}  </LinkSet>"
        ).encode()


def _targets(rng: np.random.Generator, count: int) -> list[int]:
    """Return distinct eight-digit UIDs."""
    drawn: list[int] = (rng.choice(30_000_000, count, replace=False) + 10_000_000).tolist()
    return drawn
