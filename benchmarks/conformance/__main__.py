"""Run every row and write docs/conformance.md: `python -m benchmarks.conformance PYTHON`.

PYTHON is the interpreter that has the other clients. With --only WORD, rows whose title or faults
contain WORD are run and printed.
"""

from __future__ import annotations

import argparse
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from benchmarks.conformance.client_runs import ROOT, ClientResult, ComparedClient, compared_clients
from benchmarks.conformance.clients import CLIENTS
from benchmarks.conformance.rows import CONTROL, ROWS, Row
from benchmarks.conformance.scoring import Verdict
from benchmarks.conformance.suites.run import suites
from benchmarks.conformance.table import cell, insert, measured

AT_ONCE = 6
"""Clients run at a time; most of them wait most of the time."""

PAGE = ROOT / "docs" / "conformance.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python")
    parser.add_argument("--only", metavar="WORD")
    parser.add_argument("--suites", action="store_true", help="only the clients' own tests")
    options = parser.parse_args()
    versions = {client: client.version() for client in compared_clients(options.python, CLIENTS)}
    there = [client for client, version in versions.items() if version]
    if options.suites:
        print(suites(options.python, {one.name: one.version() for one in there}.get("biopython")))
        return
    rows = [row for group in ROWS.values() for row in group]
    if options.only is not None:
        rows = [row for row in rows if options.only in " ".join((row.title, *row.faults))]
    results = run(there, rows)
    if options.only is not None:
        for (row, name), result in results.items():
            print(f"{row.title:<48} {CLIENTS[name]:<12} {cell(result)}")
        return
    names = {client.name: version for client, version in versions.items()}
    theirs = suites(options.python, names.get("biopython"))
    text = f"{stamp()}\n\n{measured(results, names)}\n\n{theirs}"
    PAGE.write_text(insert(PAGE.read_text(), text))


def run(clients: list[ComparedClient], rows: list[Row]) -> dict[tuple[Row, str], ClientResult]:
    """Run every row with every client, after a control row without faults."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        control = dict(zip(clients, pool.map(lambda one: one.run(CONTROL), clients), strict=True))
        for client, result in control.items():
            if result.score.verdict > Verdict.MERGED:
                raise SystemExit(f"{client.name} fails without a fault: {result.score}")
        pairs = [(row, client) for row in rows for client in clients]
        done = pool.map(lambda pair: pair[1].run(pair[0], control[pair[1]].lines), pairs)
        results = {}
        for (row, client), result in zip(pairs, done, strict=True):
            results[row, client.name] = result
            print(f"{row.title}: {client.name}: {cell(result)}", file=sys.stderr)
    return results


def stamp() -> str:
    """Return date, Python version and platform."""
    day = datetime.now(UTC).date()
    return f"Measured on {day} with Python {platform.python_version()} on {platform.system()}."


if __name__ == "__main__":
    main()
