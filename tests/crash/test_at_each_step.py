"""Killed before and after every step that touches the disk, and taken up by the plain command."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from end_to_end.harness import (
    UIDS,
    assert_polite,
    assert_same,
    assert_tidy,
    expected_links,
    outcomes,
    rows,
    write_uids,
)
from end_to_end.nursery import Life, Moment, Nursery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from end_to_end.servers import Servers

    from harvester.emulator import Emulator

ASKED = range(1, 301)
LEFT_OUT = (7, 11, 250)
"""The sick server leaves these out of every answer: they are missing."""

FORMS = ("parquet", "jsonl")

SIDES = 4
"""Lives led at a time: they wait for answers and for the disk."""

OFTEN: dict[str, object] = {
    "harvester.committer.COMMIT_SECONDS": 0.08,
    "harvester.committer.TICK_SECONDS": 0.04,
    "harvester.verdict.BACKOFF_SECONDS": 0.02,
}
"""Constants by which a short run commits as often as a long one."""

MERGED_BYTES = {"parquet": 12_000, "jsonl": 250_000}
"""By which it merges its small parts to several larger ones, as a long run does."""


@dataclass
class Patient:
    """A kind of run that is killed again and again, each time in a folder of its own.

    Args:
        servers: for emulators.
        base: for folders.
        form: of the output.
        retries: killed is not the first run but one that retries the missing UIDs.
    """

    servers: Servers
    base: Path
    form: str
    retries: bool
    server: Emulator = field(init=False)

    def __post_init__(self) -> None:
        self.patches = OFTEN | {"harvester.ledger.MERGED_BYTES": MERGED_BYTES[self.form]}
        sick = f"short@{','.join(map(str, LEFT_OUT))}"
        self.server = self.servers.start(latency=(0.01, 0.05), faults=(sick,))
        self.well = self.servers.start(latency=(0.01,))
        self.ids = write_uids(self.base / "ids", ASKED)

    def command(self, out: Path, *, resumes: bool = False) -> list[object]:
        """The run that is killed, and with which it is taken up again."""
        server = self.well if self.retries else self.server
        if resumes:
            return ["resume", out]
        return [
            "run", "--ids", self.ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
            "--rate=80", "--batch-size=10", "--max-attempts=2", f"--format={self.form}", "-o", out,
            *(["--retry-failed"] if self.retries else []),
        ]  # fmt: skip

    def prepared(self, nursery: Nursery, out: Path) -> None:
        """What has to be there before the run that is killed."""
        if self.retries:
            first = Patient.command(self, out)
            first.remove("--retry-failed")
            first[first.index(self.well.base_url)] = self.server.base_url
            assert nursery.raise_one(first, patches=self.patches).code == 3

    @property
    def code(self) -> int:
        """What the run exits with once it comes to its end."""
        return 0 if self.retries else 3

    def assert_well(self, out: Path) -> None:
        """Nothing is lost, nothing is there twice, and nothing else lies around."""
        answered = [uid for uid in ASKED if self.retries or uid not in LEFT_OUT]
        truth = expected_links(self.server.graph, "pubmed", answered, ("pmc",))
        assert_same(rows(out, "links"), truth)
        settled = [outcomes("pubmed", answered, truth)]
        if not self.retries:
            missing = [[what] * 3 for what in ("pubmed", "missing", 0, "left out of every answer")]
            settled.append(pa.table([missing[0], list(LEFT_OUT), *missing[1:]], schema=UIDS))
        assert_same(rows(out, "uids"), pa.concat_tables(settled))
        listed = out / "unanswered.txt"
        assert listed.exists() != self.retries
        if not self.retries:
            assert listed.read_text() == "".join(f"{uid}\n" for uid in LEFT_OUT)
        assert_tidy(out)


def healthy(patient: Patient, nursery: Nursery, out: Path) -> Life:
    """A run that nothing befalls; its steps are the moments to die at."""
    patient.prepared(nursery, out)
    life = nursery.raise_one(patient.command(out), watched=True, patches=patient.patches)
    assert life.code == patient.code, life.said
    patient.assert_well(out)
    return life


def moments(steps: Iterable[str]) -> list[Moment]:
    """Before and after each step; a write also half done."""
    taken: Counter[str] = Counter()
    found = []
    for kind in steps:
        taken[kind] += 1
        ways = ("before", "after", "torn") if kind == "write" else ("before", "after")
        found += [Moment(kind, taken[kind], when) for when in ways]
    return found


def sample(found: Sequence[Moment], count: int) -> list[Moment]:
    """So many moments: of each kind in turn, spread over the run."""
    chooser = random.Random(len(found))
    kinds: dict[tuple[str, str], list[Moment]] = {}
    for moment in found:
        kinds.setdefault((moment.kind, moment.when), []).append(moment)
    piles = list(kinds.values())
    chooser.shuffle(piles)
    for pile in piles:
        chooser.shuffle(pile)
    chosen: list[Moment] = []
    for pile in cycle(piles):
        if len(chosen) >= min(count, len(found)):
            return chosen
        if pile:
            chosen.append(pile.pop())
    return chosen


def survive(
    patient: Patient, nursery: Nursery, out: Path, deaths: Sequence[Moment]
) -> tuple[int, str]:
    """Kill a run at each moment in turn, then let the command as it is bring it to its end.

    Returns:
        How many of the moments were reached, and what is wrong in the end; nothing, as a rule.
    """
    patient.prepared(nursery, out)
    reached = 0
    try:
        for moment in deaths:
            life = nursery.raise_one(patient.command(out), moment, patches=patient.patches)
            reached += life.killed
            assert life.killed or life.code == patient.code, life.said
        resumes = not patient.retries and (out / "job.toml").exists() and reached % 2 == 1
        finished = nursery.raise_one(patient.command(out, resumes=resumes))
        assert_polite(finished.said)
        assert finished.code == patient.code, finished.said
        patient.assert_well(out)
    except AssertionError as wrong:
        return reached, f"{' and '.join(map(str, deaths))}: {wrong}"
    return reached, ""


def all_survive(patient: Patient, lives: Sequence[Sequence[Moment]], base: Path) -> None:
    """Some at a time. Not every moment is reached: the clock has a say in how many steps there are,
    and a run that takes up another has fewer.
    """

    def one_after_another(side: int) -> list[tuple[int, str]]:
        with patient.servers.nursery() as nursery:
            return [
                survive(patient, nursery, base / f"out-{number}", lives[number])
                for number in range(side, len(lives), SIDES)
            ]

    with ThreadPoolExecutor(SIDES) as pool:
        ends = [end for side in pool.map(one_after_another, range(SIDES)) for end in side]
    wrong = [why for _, why in ends if why]
    assert not wrong, f"{len(wrong)} of {len(lives)} went wrong; " + "\n".join(wrong[:5])
    assert sum(reached for reached, _ in ends) > 0.4 * sum(map(len, lives))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("retries", "count"), [(False, 9), (True, 4)], ids=["first", "retry"])
def test_a_sample_of_moments(
    servers: Servers, tmp_path: Path, form: str, retries: bool, count: int
) -> None:
    """Moments of every kind, spread over the run."""
    patient = Patient(servers, tmp_path, form, retries)
    with servers.nursery() as nursery:
        life = healthy(patient, nursery, tmp_path / "healthy")
    assert {"replace", "fsync of a file", "fsync of a folder", "sqlite COMMIT", "unlink"} <= set(
        life.steps
    )
    all_survive(patient, [[one] for one in sample(moments(life.steps), count)], tmp_path)


def test_status_after_a_death_at_the_start(servers: Servers, tmp_path: Path) -> None:
    """While the folder is made `status` answers, or says in a sentence that there is nothing."""
    patient = Patient(servers, tmp_path, "parquet", retries=False)
    wrong = []
    with servers.nursery() as nursery:
        steps = healthy(patient, nursery, tmp_path / "healthy").steps
        start = moments(steps[: steps.index("flush")])
        assert len(start) > 20
        for number, moment in enumerate(start):
            out = tmp_path / f"out-{number}"
            assert nursery.raise_one(patient.command(out), moment, patches=patient.patches).killed
            said = nursery.raise_one(["status", out, "--json"])
            if said.code not in (0, 1, 2) or "Traceback" in said.said:
                wrong.append(f"{moment}: {said.said.strip().splitlines()[-1]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("retries", [False, True], ids=["first", "retry"])
def test_every_moment(servers: Servers, tmp_path: Path, form: str, retries: bool) -> None:
    """Before and after each step of a run; of the many alike writes of Parquet, every fourth."""
    patient = Patient(servers, tmp_path, form, retries)
    with servers.nursery() as nursery:
        life = healthy(patient, nursery, tmp_path / "healthy")
    every = 4 if form == "parquet" else 1
    found = [one for one in moments(life.steps) if one.kind != "write" or one.nth % every == 0]
    all_survive(patient, [[one] for one in found], tmp_path)


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
def test_death_upon_death(servers: Servers, tmp_path: Path, form: str) -> None:
    """Runs that are killed as they take up a killed run, several times in a row."""
    patient = Patient(servers, tmp_path, form, retries=False)
    with servers.nursery() as nursery:
        found = moments(healthy(patient, nursery, tmp_path / "healthy").steps)
    chooser = random.Random(1)
    all_survive(patient, [chooser.sample(found, 5) for _ in range(60)], tmp_path)
