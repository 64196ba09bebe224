"""ELink answers of a known size, in NCBI's shapes, built without the code under test."""

from __future__ import annotations

import numpy as np

UIDS, LINKS = 200, 150


def json_answer(uids: list[int], links: int, *, scores: bool = False) -> bytes:
    """A by-id answer of pubmed_pubmed, `links` links a UID."""
    sets = (
        '{"dbfrom":"pubmed","ids":["%d"],"linksetdbs":[{"dbto":"pubmed","linkname":'
        '"pubmed_pubmed","links":[%s]}]}' % (uid, ",".join(_links(uid, links, scores)))
        for uid in uids
    )
    head = '{"header":{"type":"elink","version":"0.3"},"linksets":['
    return (head + ",".join(sets) + "]}\n").encode()


def xml_answer(uids: list[int], links: int, *, scores: bool = False) -> bytes:
    """The same as XML, laid out as NCBI does."""
    score = "\n\t\t\t\t<Score>%d</Score>" if scores else ""
    sets = []
    for uid in uids:
        rows = "".join(
            f"<Link>\n\t\t\t\t<Id>{target}</Id>{score % (10**7 - at) if scores else ''}"
            "\n\t\t\t</Link>\n        "
            for at, target in enumerate(_targets(uid, links))
        )
        sets.append(
            f"\n  <LinkSet>\n    <DbFrom>pubmed</DbFrom>\n    <IdList>\n      <Id>{uid}</Id>\n"
            "    </IdList>\n    <LinkSetDb>\n      <DbTo>pubmed</DbTo>\n"
            f"      <LinkName>pubmed_pubmed</LinkName>\n      \n        {rows}\n"
            "    </LinkSetDb>\n  </LinkSet>"
        )
    prolog = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE eLinkResult PUBLIC '
        '"-//NLM//DTD elink 20101123//EN" '
        '"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20101123/elink.dtd">\n<eLinkResult>\n'
    )
    return (prolog + "".join(sets) + "\n</eLinkResult>\n").encode()


def _links(uid: int, links: int, scores: bool) -> list[str]:
    targets = _targets(uid, links)
    if not scores:
        return [f'"{target}"' for target in targets]
    return [f'{{"id":"{t}","score":{10**7 - at}}}' for at, t in enumerate(targets)]


def _targets(uid: int, links: int) -> list[int]:
    """Distinct eight-digit UIDs, the record itself first."""
    drawn = np.random.default_rng(uid).choice(30_000_000, links - 1, replace=False) + 10_000_000
    return [uid, *drawn.tolist()]
