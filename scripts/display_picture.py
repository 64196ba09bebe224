"""Draw docs/display.svg: the terminal in the middle of a real run against the emulator.

Takes half a minute. The emulator answers after 0.8 to 5 s, and 3 % of the requests fail.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harvester import Job, events, harvest
from harvester.api.display.live import LiveDisplay
from harvester.emulator import EmulatorConfig, background

PICTURE = Path(__file__).parents[1] / "docs" / "display.svg"
COMMAND = "$ harvester run --ids pmids.txt --dbfrom pubmed --db pmc -o pmc-links"
UIDS = 60_000
PORT = 8080
SHOWN_AT = 0.49  # share of the UIDs that are done


async def show(folder: Path, base_url: str, console: Console) -> None:
    """Run the job of COMMAND; print its display when SHOWN_AT is reached, then stop."""
    (folder / "pmids.txt").write_text("\n".join(map(str, range(30_000_000, 30_000_000 + UIDS))))
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc"},
            "source": {"ids": str(folder / "pmids.txt")},
            "output": {"path": str(folder / "pmc-links")},
            "limits": {"rate": 10, "batch_size": 200},
            "server": {"base_url": base_url},
        }
    )
    console.print(Text(COMMAND, style="bold"))
    display = LiveDisplay(console, verbose=False)
    tally = events.Tally(asyncio.get_running_loop().time)
    shown = asyncio.Event()

    def listen(event: events.Event) -> None:
        display(event)
        tally(event)
        if tally.done >= SHOWN_AT * UIDS:
            shown.set()

    run = asyncio.create_task(harvest(job, listeners=[listen]))
    await asyncio.wait(
        [run, asyncio.create_task(shown.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    console.print(display)
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run


def main() -> None:
    """Draw the picture."""
    console = Console(record=True, file=io.StringIO(), width=96, force_terminal=True)
    faults = ("503:0.02", "error-in-linkset:0.01")
    config = EmulatorConfig(port=PORT, rate=10, latency=(0.8, 2.0, 5.0), faults=faults)
    with background(config) as server, tempfile.TemporaryDirectory() as folder:
        asyncio.run(show(Path(folder), server.base_url, console))
    PICTURE.write_text(console.export_svg(title="harvester run"), encoding="utf-8")


if __name__ == "__main__":
    main()
