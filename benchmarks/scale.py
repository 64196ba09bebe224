"""Nights by UIDs and rate, with the program's own plan: shows when one machine is enough.

    python -m benchmarks.scale

A run that begins on a Monday at 21:00 Eastern time and keeps NCBI's hours, with 200 UIDs per
request.
"""

from __future__ import annotations

from datetime import datetime

from harvester.job.model import Job
from harvester.runs.plan import Plan, make_plan
from harvester.runs.plan_estimates import Input
from harvester.wording import duration

MONDAY = datetime.fromisoformat("2026-11-23T21:00:00-05:00")
UIDS = (100_000, 1_000_000, 10_000_000, 38_000_000)
RATES = (3, 10, 50, 500)


def plan(uids: int, rate: int) -> Plan:
    """Return the plan of a harvest of links from PubMed to PMC."""
    job = Job(
        link={"dbfrom": "pubmed", "db": "pmc", "linkname": "pubmed_pmc"},
        output={"path": "out"},
        contact={"email": "you@example.org"},
        limits={"rate": rate, "rate_granted": True, "batch_size": 200},
    )
    return make_plan(job, Input(uids, uids), MONDAY, with_key=True)


def cell(found: Plan) -> str:
    """Return the time of sending, and in how many nights that is."""
    nights = len(found.nights)
    return f"{duration(found.course.seconds)}: {nights} night{'s' if nights > 1 else ''}"


def main() -> None:
    """Print the table."""
    print("| UIDs |", " | ".join(f"{rate} requests/s" for rate in RATES), "|")
    print("| --: |", " | ".join("--:" for _ in RATES), "|")
    for uids in UIDS:
        print(f"| {uids:,} |", " | ".join(cell(plan(uids, rate)) for rate in RATES), "|")


if __name__ == "__main__":
    main()
