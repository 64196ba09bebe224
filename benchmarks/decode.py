"""From the bytes of a response to matched rows: each cmd, as JSON and XML.

Measures parsing and matching in memory; not the network, nor writing. The floor is parsing the
JSON alone with orjson. Responses of cmds other than neighbor come from the emulator.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, get_args
from urllib.request import urlopen

import numpy as np
import orjson

from benchmarks.answers import FEW, FIRST, LINKS, UIDS, Answers
from benchmarks.measure import Row, nanoseconds
from harvester.emulator import EmulatorConfig, background
from harvester.eutils.elink.commands import Elink
from harvester.job.cmds import CMDS, Cmd
from harvester.job.link import Link
from harvester.model.batch import Batch, Retmode

if TYPE_CHECKING:
    from collections.abc import Iterator

RETMODES: tuple[Retmode, ...] = get_args(Retmode)
OTHERS: tuple[Cmd, ...] = tuple(c for c in get_args(Cmd) if not CMDS[c].leads_to_records)


def rows() -> Iterator[Row]:
    uids = np.arange(FIRST, FIRST + UIDS)
    for links, unit in ((LINKS, "ns per link"), (FEW, "ns per UID")):
        answers = Answers(links)
        total = answers.total(range(FIRST, FIRST + UIDS))
        count = total if links >= 1 else UIDS
        for scores in (False, True) if links >= 1 else (False,):
            cmd: Cmd = "neighbor_score" if scores else "neighbor"
            body = answers(uids.tolist(), scores=scores)
            floor = nanoseconds(partial(orjson.loads, body), count)
            for retmode in RETMODES:
                data = answers(uids.tolist(), xml=retmode == "xml", scores=scores)
                question = _question(cmd, retmode, answers.db)
                assert question.read(data, Batch(uids, retmode)).counts.sum() == total
                taken = nanoseconds(partial(question.read, data, Batch(uids, retmode)), count)
                yield Row(f"{cmd}, {retmode}, {links} links per UID", taken, unit, floor)
    with background(EmulatorConfig(rate=None, gzip=False)) as server:
        for cmd in OTHERS:
            floor = 0.0
            for retmode in RETMODES:
                question, batch = _question(cmd, retmode, "all"), Batch(uids, retmode)
                with urlopen(f"{server.base_url}elink.fcgi", question.body(batch)) as answer:
                    data = answer.read()
                floor = floor or nanoseconds(partial(orjson.loads, data), UIDS)
                assert len(question.read(data, batch).answered) == UIDS
                taken = nanoseconds(partial(question.read, data, batch), UIDS)
                yield Row(f"{cmd}, {retmode}", taken, "ns per UID", floor)


def _question(cmd: Cmd, retmode: Retmode, db: str) -> Elink:
    link = Link(dbfrom="pubmed", db=[db], cmd=cmd, retmode=retmode)
    return Elink(link)
