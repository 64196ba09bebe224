"""Real lists of UIDs and tables of links, kept outside the repository because of licences.

Set `REAL_LISTS` to a folder with `pmids_all.txt` and `dendritic_cell_pmids.txt` (PMIDs, one per
line), `pubmed_pubmed_refs.tsv` (citing and cited PMID) and `gene_pubmed.tsv` (gene and PMID).
"""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("REAL_LISTS", "no-real-lists"))
