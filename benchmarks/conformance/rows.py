"""The faults, with readable titles. Each affects the first request for certain UIDs."""

from __future__ import annotations

from dataclasses import dataclass

UIDS = tuple(str(uid) for uid in range(31_000_007, 31_000_207, 10))
"""Few enough for one request of any client."""

MANY = tuple(str(uid) for uid in range(32_000_000, 32_000_300))

LINKED = (*UIDS, *MANY)
"""UIDs that have links."""

VICTIMS = UIDS[3], UIDS[11], UIDS[16]
"""UIDs whose requests (or LinkSets) are affected by the fault."""

ONE = VICTIMS[:1]


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        title: what NCBI does.
        faults: names of the emulator's faults, some with a probability; the cell shows the worst.
        for_good: whether every request with the first affected UID fails, or only the first.
        seeds: seeds of graph and fault, if the fault is random.
        uids: the requested UIDs.
        api_keys: keys that are accepted; none accepts all.
        outage: seconds after the start between which every request fails.
    """

    title: str
    faults: tuple[str, ...] = ()
    for_good: bool = False
    seeds: tuple[int, ...] = (1,)
    uids: tuple[str, ...] = UIDS
    api_keys: tuple[str, ...] = ()
    outage: tuple[float, float] | None = None

    def spec(self, fault: str) -> str:
        """Return the fault in the emulator's notation."""
        name, colon, share = fault.partition(":")
        whom = f"{','.join(ONE)}" if self.for_good else f"{','.join(VICTIMS)}*1"
        return f"{name}@{whom}{colon}{share}"


CHANCE = (1, 2, 3)

CONTROL = Row("no fault")

ROWS: dict[str, list[Row]] = {
    "No fault": [
        CONTROL,
        Row("one UID has no links", uids=(*UIDS, "30999999")),
        Row("300 UIDs (too many for one GET: 414)", uids=MANY),
    ],
    "The first request fails, a retry succeeds": [
        Row("429, without Retry-After", ("429",)),
        Row("500, 502, 503, 504", ("500", "502", "503", "504", "forwarding", "unroutable")),
        Row("400 for valid ids; for a valid API key", ("400", "bad-key")),
        Row("414 for a short request", ("414",)),
    ],
    "The first response is something else, with status 200": [
        Row(
            "ERROR instead of LinkSets",
            ("error-address", "error-readall", "error-backend", "error-db"),
        ),
        Row("rate-limit message", ("rate-limit-200",)),
        Row("HTML page", ("html-200",)),
        Row("empty body", ("empty",)),
        Row("only the XML prolog", ("prolog-only",)),
    ],
    "The first response is damaged in transit": [
        Row("truncated, with a matching Content-Length", ("cut", "gzip-cut"), seeds=CHANCE),
        Row("connection closed or reset half-way", ("cut-close", "cut-reset"), seeds=CHANCE),
        Row("control characters; invalid UTF-8", ("control-chars", "bad-utf8"), seeds=CHANCE),
        Row("connection reset", ("reset",)),
        Row("connection hangs", ("hang",)),
        Row("one byte per second", ("drip",)),
    ],
    "The first response is well formed but wrong": [
        Row("LinkSets of some UIDs missing", ("short",)),
        Row("some LinkSets for UID 0", ("id-0",)),
        Row("ERROR in some LinkSets", ("error-in-linkset",)),
        Row(
            "ERROR in some LinkSetDbs",
            ("error-in-linksetdb", "exception-in-linksetdb"),
            seeds=CHANCE,
        ),
        Row("LinkSets reordered", ("reordered",)),
        Row("some LinkSets duplicated", ("doubled",)),
        Row("LinkSets of UIDs that were not requested", ("alien",), seeds=CHANCE),
        Row("LinkSets without a UID", ("no-ids",), seeds=CHANCE),
        Row("some links missing", ("lost-leading", "lost-blocks:0.7"), seeds=CHANCE),
    ],
    "Permanent faults": [
        Row("one UID makes every request fail (500)", ("poison",), for_good=True),
        Row("one UID is always missing", ("short",), for_good=True),
        Row("one UID always gets an ERROR", ("error-in-linkset",), for_good=True),
        Row("503 for every request", outage=(0.0, 1e9)),
        Row("the API key is rejected", api_keys=("another",)),
    ],
}
"""Group → rows."""
