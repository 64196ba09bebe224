"""Bytes of an answer to a reconciled table: per retmode, with and without scores.

Measures reading and reconciling in memory. Does not measure the network, nor writing. The floor
is parsing the JSON alone with orjson.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import orjson

from benchmarks.answers import LINKS, UIDS, json_answer, xml_answer
from benchmarks.measure import cpu_seconds, report
from harvester.eutils.readers import neighbor_json, neighbor_xml
from harvester.eutils.reconcile import reconcile

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.eutils.answer import Answer
    from harvester.eutils.readers.columns import LinkSets
    from harvester.uids import UidArray


def main() -> None:
    uids = list(range(20_000_000, 20_000_000 + UIDS))
    asked = np.array(uids)
    count = UIDS * LINKS
    for scores in (False, True):
        body = json_answer(uids, LINKS, scores=scores)
        floor = cpu_seconds(partial(orjson.loads, body))
        report(f"orjson.loads alone{', scores' * scores}", floor, count)
        for name, read, data in (
            ("JSON", neighbor_json.read, body),
            ("XML", neighbor_xml.read, xml_answer(uids, LINKS, scores=scores)),
        ):
            assert reconcile(read(data), asked, "pubmed").links.num_rows == count
            taken = cpu_seconds(partial(_decode, read, data, asked))
            report(f"{name} to table{', scores' * scores}, a link", taken, count, floor)
    few = json_answer(uids, 1)
    assert reconcile(neighbor_json.read(few), asked, "pubmed").links.num_rows == UIDS
    taken = cpu_seconds(partial(_decode, neighbor_json.read, few, asked))
    report("JSON to table, one link a UID, a UID", taken, UIDS)


def _decode(read: Callable[[bytes], LinkSets], body: bytes, asked: UidArray) -> Answer:
    return reconcile(read(body), asked, "pubmed")


if __name__ == "__main__":
    main()
