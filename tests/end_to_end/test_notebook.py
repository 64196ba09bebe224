"""docs/first_harvest.ipynb runs from top to bottom in a kernel, against an emulator."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.harness import environment

from harvester.emulator import truth

if TYPE_CHECKING:
    from support.servers import Servers

nbformat: Any = pytest.importorskip("nbformat", reason="needs nbformat, of the extra dev")
nbclient: Any = pytest.importorskip("nbclient", reason="needs nbclient, of the extra dev")
pytest.importorskip("ipykernel", reason="needs ipykernel, of the extra dev")

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "first_harvest.ipynb"
PMIDS = [12345678, 23456789, 34567890]


def _kernel(folder: Path) -> None:
    """Describe a kernel of this interpreter, whichever kernels the machine has."""
    kernel = folder / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {"argv": argv, "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(described))


def _value(cell: Any) -> str:
    """Return what a cell shows as its value."""
    (value,) = (one for one in cell.outputs if one.output_type == "execute_result")
    return str(value.data["text/plain"])


def _values(notebook: Any) -> dict[str, str]:
    """Return the last line of each cell → its value."""
    return {
        cell.source.splitlines()[-1]: _value(cell)
        for cell in notebook.cells
        if cell.cell_type == "code"
        and any(one.output_type == "execute_result" for one in cell.outputs)
    }


def test_the_notebook_is_valid_and_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_the_notebook_runs_and_shows_progress(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers.start(seed=4)
    _kernel(tmp_path / "jupyter")
    env = environment(
        HARVESTER_BASE_URL=server.base_url,
        NCBI_EMAIL="test@example.org",
        JUPYTER_PATH=str(tmp_path / "jupyter"),
        IPYTHONDIR=str(tmp_path / "ipython"),
        PYTHONPATH=str(ROOT),
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env=env | {"PYTHONWARNINGS": "default"})  # those of Jupyter itself

    graph, values = server.graph, _values(notebook)
    rows = truth(graph, "pubmed", PMIDS, {"gene"}, {"pubmed_gene"}).to_pylist()
    pairs = {uid: [row["to_uid"] for row in rows if row["from_uid"] == uid] for uid in PMIDS}
    assert ast.literal_eval(values['linked.by_uid("pubmed_gene")']) == pairs
    count, ids = ast.literal_eval(values["found.count, found.ids[:3]"])
    assert (count, len(ids), {type(uid) for uid in ids}) == (401, 3, {int})

    links = truth(graph, "pubmed", range(1000, 1400), {"gene"}, {"pubmed_gene"})
    assert sum(ast.literal_eval(values["result.outcomes"]).values()) == 400
    nodes, edges = ast.literal_eval(values["graph.number_of_nodes(), graph.number_of_edges()"])
    assert edges == links.num_rows > 0
    assert nodes == sum(len(set(links[name].to_pylist())) for name in ("from_uid", "to_uid"))
    streamed = truth(graph, "pubmed", range(1000, 1100), {"gene"}, {"pubmed_gene"}).num_rows
    assert int(values["rows"]) == streamed
    assert values["done"].startswith(f"Harvest('first-harvest': {links.num_rows:,} links, ")

    (harvest,) = (cell for cell in notebook.cells if "await harvest(job" in cell.source)
    (shown,) = (one for one in harvest.outputs if one.output_type == "display_data")
    assert re.search(r'<progress max="400" value="400"', shown.data["text/html"])
    assert shown.data["text/plain"].endswith("\ncomplete")
