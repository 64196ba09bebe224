"""Link graphs: generated from a seed, or read from a table."""

from harvester.emulator.graph.base import SELF_SCORE, Family, Graph, LinkList, Links
from harvester.emulator.graph.seeded import SeededGraph
from harvester.emulator.graph.table import TableGraph
from harvester.emulator.graph.truth import truth

__all__ = [
    "SELF_SCORE",
    "Family",
    "Graph",
    "LinkList",
    "Links",
    "SeededGraph",
    "TableGraph",
    "truth",
]
