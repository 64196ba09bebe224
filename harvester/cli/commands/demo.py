"""`harvester demo`: the emulator and a real job against it, killed, resumed and checked."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from harvester.cli.places import LocalPath
from harvester.cli.verbosity import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

SEED = 7
UIDS = 6000
BATCH = 50
RATE = 10
PATIENCE_SECONDS = 60.0


@click.command()
@click.option(
    "-o",
    "--out",
    type=LocalPath(),
    help="folder of the harvest; default: a new one below the system's temporary folder",
)
def demo(out: Path | None) -> None:
    """Rehearse a harvest on this machine, in about 30 s.

    It is run, killed with kill -9, resumed, checked against the truth and reported as a page.
    """
    from tempfile import TemporaryDirectory, mkdtemp

    with TemporaryDirectory(prefix="harvester-demo-") as scratch:
        folder = out or Path(mkdtemp(prefix="harvester-demo-")) / "links-out"
        uids, ids = _draw_uids(), Path(scratch) / "pmids.txt"
        ids.write_text("# PMIDs drawn at random\n" + "\n".join(map(str, uids)) + "\n")
        with _emulator() as url:
            _say(f"A local E-utilities server answers at {url}, {RATE} requests per second.")
            command = ["run", "--ids", str(ids), "--dbfrom", "pubmed", "--db", "pmc,pubmed"]
            command += ["--linkname", "pubmed_pmc,pubmed_pubmed", "--batch-size", str(BATCH)]
            command += ["--rate", str(RATE), "--base-url", url, "-o", str(folder)]
            _say(f"$ harvester {' '.join(command)}")
            if code := _run_and_kill(command, folder):
                raise Exit(code)
            _say(f"Killed with kill -9, in mid-request.\n$ harvester resume {folder}")
            code = subprocess.run(_harvester("resume", str(folder)), check=False).returncode  # noqa: S603
        if code:
            raise Exit(code)
        _check_and_show(folder, uids)
        _say(f"The result is in {folder}: links/ and uids/ are Parquet files.")
        _report(folder)


def _say(text: str) -> None:
    if not messages().quiet:
        click.secho(text, bold=True)


def _harvester(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "harvester", *messages().words, *arguments]


def _draw_uids() -> list[int]:
    import numpy as np

    numbers = np.random.default_rng(SEED).choice(40_000_000, UIDS, replace=False) + 1
    return [int(number) for number in numbers]


@contextmanager
def _emulator() -> Iterator[str]:
    """Run an emulator in a process; yield its base URL."""
    options = ("--port", "0", "--seed", str(SEED), "--rate", str(RATE), "--latency", "0.3")
    with subprocess.Popen(  # noqa: S603
        _harvester("emulate", *options), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _run_and_kill(command: list[str], folder: Path) -> int | None:
    """Kill the run once something, but not everything, is committed.

    Returns:
        The exit code of a run that ended before.
    """
    from harvester.api.folder import status
    from harvester.errors import HarvestError

    deadline = time.monotonic() + PATIENCE_SECONDS
    with subprocess.Popen(_harvester(*command)) as process:  # noqa: S603
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if status(folder)["parts"]:
                    break
            except (HarvestError, OSError):
                pass  # the folder does not exist yet
            time.sleep(0.2)
        ended = process.poll()
        process.kill()
    return ended


def _check_and_show(folder: Path, uids: list[int]) -> None:
    """Compare every row with the emulator's graph, and show some."""
    import pyarrow.parquet as pq

    from harvester.emulator import SeededGraph, truth

    wanted = ["pubmed_pmc", "pubmed_pubmed"]
    links = pq.read_table(folder / "links")
    expected = truth(SeededGraph(SEED), "pubmed", uids, ["pmc", "pubmed"], wanted)
    rows = pq.read_table(folder / "uids")
    exact = _sorted(links).equals(_sorted(expected.cast(links.schema)))
    if not exact or sorted(rows["from_uid"].to_pylist()) != sorted(uids):
        click.secho("The result is not what the server's graph says: please report it.", fg="red")
        raise Exit(1)
    _say(f"Checked: {links.num_rows:,} links and {rows.num_rows:,} UIDs, each once, none missing.")
    _say(f"manifest.json has the SHA-256 of every file; `harvester verify {folder}` checks them.")
    for name, table in (("links", links), ("uids", rows)):
        click.echo(f"\n{name}, the first of {table.num_rows:,} rows:")
        _show(table.slice(0, 5))


def _report(folder: Path) -> None:
    """Write the report, and end with its figures and its path."""
    from harvester.api import report
    from harvester.errors import BadInput

    _say(f"$ harvester report {folder}")
    try:
        made = report.write_report(folder)
    except BadInput as error:  # an extra that is not installed
        click.echo(error)
        return
    for line in report.headline(made):
        click.echo(line)
    click.echo(report.report_path(folder))


def _sorted(table: pa.Table) -> pa.Table:
    order = [(name, "ascending") for name in ("from_uid", "linkname", "rank")]
    plain = table.cast(_plain(table.schema))
    return plain.sort_by(order).combine_chunks()


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return the schema with names as plain text, which can be sorted."""
    import pyarrow as pa

    return pa.schema(
        [(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in schema]
    )


def _show(table: pa.Table) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, header_style="dim")
    for name in table.column_names:
        shown.add_column(name)
    for row in table.to_pylist():
        shown.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(shown)
