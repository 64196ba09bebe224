"""The examples for schedulers and workflow systems, run or checked by those systems.

Snakemake, cwltool and planemo are looked for in `.venv-workflows` (`make workflows` installs them),
then on the PATH.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.cookbook import blocks_in
from support.harness import (
    assert_exact,
    environment,
    expected_links,
    harvester,
    wait_until,
    write_uids,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.servers import Servers

    from harvester.emulator import Emulator

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
UIDS = range(1, 401)


def _program(name: str) -> str:
    """Return the path of a program; skip the test without it."""
    found = shutil.which(
        name, path=f"{ROOT / '.venv-workflows/bin'}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        pytest.skip(f"{name} is not installed (make workflows)")
    return found


def _environment(servers: Servers, server: Emulator, folder: Path) -> dict[str, str]:
    env = environment(HARVESTER_BASE_URL=server.base_url, HOME=str(folder), NCBI_EMAIL="a@b.c")
    del env["PYTHONWARNINGS"]  # those of the other programs are not ours
    return env | {"PATH": f"{servers.shell.programs()}{os.pathsep}{env['PATH']}"}


def _run(words: Sequence[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _pairs(path: Path) -> set[tuple[int, int]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = {(int(row["from_uid"]), int(row["to_uid"])) for row in rows}
    assert len(pairs) == len(rows)
    return pairs


def _true_pairs(server: Emulator) -> set[tuple[int, int]]:
    truth = expected_links(server.graph, "pubmed", UIDS, ["gene"], ["pubmed_gene"])
    return {(row["from_uid"], row["to_uid"]) for row in truth.to_pylist()}


def test_snakemake_is_killed_and_goes_on(servers: Servers, tmp_path: Path) -> None:
    """Shards keep their commits: the restart requests the rest only, merges and exports."""
    program = _program("snakemake")
    server = servers.start(latency=(0.3,))
    env = _environment(servers, server, tmp_path)
    write_uids(tmp_path / "pmids.txt", UIDS)
    job = tmp_path / "Snakefile"
    text = (CONFIGS / "snakemake/Snakefile").read_text("utf-8")
    job.write_text(text.replace(' -q"', ' -q --batch-size=2 --rate=100"'), "utf-8")
    words = [program, "--snakefile", str(job), "--cores", "4", "--nolock"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        wait_until(lambda: len(server.log) > 20, "shards are harvested")
        os.killpg(process.pid, signal.SIGTERM)
    assert not (tmp_path / "links.csv").exists()
    kept = {path.name for path in (tmp_path / "shards").iterdir()}
    answered = sum(entry.ids for entry in server.log if entry.status == 200)
    assert kept
    _run([*words, "--rerun-incomplete"], tmp_path, env)
    assert _pairs(tmp_path / "links.csv") == _true_pairs(server)
    truth = expected_links(server.graph, "pubmed", UIDS, ["gene"], ["pubmed_gene"])
    assert_exact(tmp_path / "merged", "pubmed", UIDS, truth)
    asked = sum(entry.ids for entry in server.log if entry.status == 200)
    assert asked < len(UIDS) + answered  # what was committed before is not asked again


def test_the_rule_in_the_docs_works(servers: Servers, tmp_path: Path) -> None:
    program = _program("snakemake")
    server = servers.start()
    text = (ROOT / "docs/operation.md").read_text("utf-8")
    (rule,) = [one.text for one in blocks_in(text) if one.language == "snakemake"]
    (tmp_path / "Snakefile").write_text(rule, "utf-8")
    write_uids(tmp_path / "pmids.txt", UIDS)
    _run([program, "--cores", "1"], tmp_path, _environment(servers, server, tmp_path))
    truth = expected_links(server.graph, "pubmed", UIDS, ["gene"])
    assert_exact(tmp_path / "harvest", "pubmed", UIDS, truth)


def test_snakemake_ends_though_some_uids_have_no_answer(servers: Servers, tmp_path: Path) -> None:
    program = _program("snakemake")
    lost = {next(iter(UIDS)), max(UIDS)}
    server = servers.start(faults=(f"short@{','.join(map(str, lost))}",))
    write_uids(tmp_path / "pmids.txt", UIDS)
    words = [program, "--snakefile", str(CONFIGS / "snakemake/Snakefile"), "--cores", "4"]
    _run(words, tmp_path, _environment(servers, server, tmp_path))
    truth = {pair for pair in _true_pairs(server) if pair[0] not in lost}
    assert _pairs(tmp_path / "links.csv") == truth
    assert {*map(int, (tmp_path / "merged/unanswered.txt").read_text().split())} == lost


@pytest.mark.parametrize("path", ["snakemake/Snakefile", "cwl/harvest.cwl", "slurm/merge.sbatch",
                                  "galaxy/elink_harvester.xml", "nextflow/main.nf"])  # fmt: skip
def test_examples_take_a_harvest_without_some_answers_for_complete(path: str) -> None:
    text = re.sub(r"^\s*(#|//|\*).*", "", (CONFIGS / path).read_text("utf-8"), flags=re.MULTILINE)
    commands = len(re.findall(r"\bharvester (?:run|merge)\s", text))
    assert commands >= 1
    assert len(re.findall(r"\|\| \[ \\?\$\? -eq 3 \]", text)) == commands


@pytest.mark.parametrize("lost", [0, max(UIDS)], ids=["all answered", "one lost"])
def test_cwltool_runs_the_tool(servers: Servers, tmp_path: Path, lost: int) -> None:
    program = _program("cwltool")
    server = servers.start(faults=(f"short@{lost}",) if lost else ())
    env = _environment(servers, server, tmp_path)
    write_uids(tmp_path / "pmids.txt", UIDS)
    kept = [
        f"--preserve-environment={name}" for name in ("HARVESTER_BASE_URL", "NCBI_EMAIL", "PATH")
    ]
    said = _run(
        [program, *kept, str(CONFIGS / "cwl/harvest.cwl"), "--ids", "pmids.txt",
         "--dbfrom", "pubmed", "--db", "gene"],
        tmp_path, env,
    )  # fmt: skip
    truth = expected_links(server.graph, "pubmed", {*UIDS} - {lost}, ["gene"])
    assert len(_pairs(tmp_path / "links.csv")) == truth.num_rows, said
    assert json.loads((tmp_path / "manifest.json").read_text())["links"] == truth.num_rows


def test_planemo_finds_no_fault_in_the_galaxy_tool() -> None:
    program = _program("planemo")
    said = _run(
        [program, "lint", str(CONFIGS / "galaxy/elink_harvester.xml")], ROOT, {**os.environ}
    )
    assert "WARNING" not in said
    assert "ERROR" not in said


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in ("harvest.service", "harvest.timer"):
        text = (CONFIGS / "systemd" / unit).read_text("utf-8")
        (tmp_path / unit).write_text(text.replace("%h/.local/bin/harvester", "/bin/true"), "utf-8")
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    assert _run([program, "verify", str(tmp_path / "harvest.timer")], tmp_path, env) == ""
    assert _run([program, "verify", str(tmp_path / "harvest.service")], tmp_path, env) == ""


def _command_lines() -> list[str]:
    """Return every `harvester` command line in the examples and in docs/operation.md."""
    texts = [
        path.read_text("utf-8")
        for path in [*CONFIGS.rglob("*"), ROOT / "docs" / "operation.md"]
        if path.is_file() and path.suffix != ".toml"
    ]
    return re.findall(r"harvester\"? (?:run|resume|merge|export) [^\n]*", "\n".join(texts))


def test_every_option_in_the_examples_exists() -> None:
    lines = _command_lines()
    assert len(lines) >= 10
    known = {name: harvester(name, "--help").out for name in ("run", "resume", "merge", "export")}
    for line in lines:
        name = line.split()[1]
        for option in re.findall(r"(?<=\s)--[a-z][a-z-]+", line):
            assert option in known[name], line


def test_the_dashboard_names_metrics_that_exist() -> None:
    text = (CONFIGS / "grafana/dashboard.json").read_text("utf-8")
    assert json.loads(text)["panels"]
    source = (ROOT / "harvester/api/metrics.py").read_text("utf-8")
    for name in set(re.findall(r"\bharvester_(\w+)", text)):
        base = re.sub(r"_(total|bucket)$", "", name)
        assert f'"{base}"' in source or f'"harvester_{base}"' in source, name


def test_the_recipe_has_the_requirements_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    recipe = (CONFIGS / "bioconda/meta.yaml").read_text("utf-8")
    assert f'version = "{project["version"]}"' in recipe
    for one in project["dependencies"]:
        found = re.match(r"([\w-]+)>=([\d.]+)", one)
        assert found, one
        assert re.search(rf"- (?:python-)?{found[1]}(?:-python)? >={found[2]}\n", recipe), one
