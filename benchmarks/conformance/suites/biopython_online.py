"""Run Biopython's online tests against a server: `python -m ... BASE_URL FOLDER`.

FOLDER holds `test_Entrez_online.py` of the sdist. Writes each test and its first failure as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import unittest
from pathlib import Path
from types import ModuleType


def main() -> None:
    base_url, folder = sys.argv[1:]
    os.environ.setdefault("NCBI_API_KEY", "")
    from benchmarks.clients.biopython import entrez_at  # noqa: PLC0415 - reads the environment

    entrez_at(base_url)
    always_online = ModuleType("requires_internet")
    always_online.check = lambda: None  # type: ignore[attr-defined]
    sys.modules["requires_internet"] = always_online
    sys.path.insert(0, str(Path(folder)))
    import test_Entrez_online as online  # type: ignore[import-not-found] # noqa: PLC0415

    online.URL_HEAD = base_url
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(online.EntrezOnlineCase)
    names = unittest.defaultTestLoader.getTestCaseNames(online.EntrezOnlineCase)
    found = unittest.TestResult()
    suite.run(found)
    failed = {
        test.id().rpartition(".")[2]: text.strip().splitlines()[-1]
        for test, text in [*found.failures, *found.errors]
    }
    print(json.dumps({name: failed.get(name) for name in names}))


if __name__ == "__main__":
    main()
