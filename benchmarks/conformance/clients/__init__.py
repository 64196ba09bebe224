"""The clients, one module each: `ask` follows the client's documentation; `version`.

None may import anything beside the standard library and its own client.
"""

from __future__ import annotations

CLIENTS = {
    "harvester": "harvester",
    "biopython": "Biopython",
    "edirect": "EDirect",
    "entrezpy": "entrezpy",
    "metapub": "metapub",
    "easy_entrez": "easy-entrez",
    "eutils": "eutils",
}
"""Module → name in the table."""

HOW = {"edirect": "`apt-get install ncbi-entrez-direct`, or `EDIRECT=folder`"}
"""How to install a client that `make conformance` does not install."""
