"""Bytes of an answer to a reconciled table: each cmd, as JSON and XML.

Measures reading and reconciling in memory. Does not measure the network, nor writing. The floor
is parsing the JSON alone with orjson.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import orjson

from benchmarks.answers import FEW, FIRST, LINKS, UIDS, Answers
from benchmarks.measure import Row, nanoseconds
from harvester.eutils.elink import Elink
from harvester.identity import Identity
from harvester.job import Contact, Link
from harvester.verdict import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.link import Cmd


def rows() -> Iterator[Row]:
    uids = list(range(FIRST, FIRST + UIDS))
    for links, unit in ((LINKS, "ns a link"), (FEW, "ns a UID")):
        answers = Answers(links)
        total = answers.total(range(FIRST, FIRST + UIDS))
        count = total if links >= 1 else UIDS
        for scores in (False, True) if links >= 1 else (False,):
            cmd: Cmd = "neighbor_score" if scores else "neighbor"
            body = answers(uids, scores=scores)
            floor = nanoseconds(partial(orjson.loads, body), count)
            for retmode in ("json", "xml"):
                link = Link(dbfrom="pubmed", db=[answers.db], cmd=cmd, retmode=retmode)
                question = Elink(link, Identity(Contact(), None))
                batch = Batch(np.array(uids), link.retmode)
                data = answers(uids, xml=retmode == "xml", scores=scores)
                assert question.read(data, batch).counts.sum() == total
                taken = nanoseconds(partial(question.read, data, batch), count)
                yield Row(f"{cmd}, {retmode}, {links} links a UID", taken, unit, floor)
