"""The command `emulate`: its options, and the server until a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from harvester.emulator.options import check_latency, check_workers, read_outage, read_restart

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.emulator.config import EmulatorConfig

# aiohttp, numpy and pyarrow are imported only when the command runs, so that help stays fast.


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the generated links, the service times and the faults.",
)
@click.option(
    "--links",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Links to serve instead of generated ones: .parquet, .csv or .tsv with dbfrom, from_uid,"
    " dbto, linkname, to_uid and, optionally, score.",
)
@click.option(
    "--links-per-uid",
    type=click.IntRange(1, 512),
    metavar="N",
    help="Exact number of generated links per UID, in every linkname that has several.",
)
@click.option(
    "--latency",
    callback=check_latency,
    default="0",
    show_default=True,
    metavar="S[,S...]|lognormal:MEDIAN,P99",
    help="Service time of a request in seconds. One of several values is drawn per request."
    " `lognormal:1,40`: half of the requests take less than 1 s, 1 % take more than 40 s.",
)
@click.option(
    "--latency-per-uid",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="S",
    help="Additional service time per UID, in seconds.",
)
@click.option(
    "--workers",
    callback=check_workers,
    metavar="N[,M@FROM-TO...]",
    help="Requests served at a time; others wait, first in, first out. `16,4@60-360`: 16 workers,"
    " but 4 from second 60 to 360 after the start. A request whose client has hung up keeps its"
    " worker for its whole service time. [default: no limit]",
)
@click.option(
    "--queue",
    type=click.IntRange(min=0),
    metavar="N",
    help="Requests that may wait for a worker; more are rejected. [default: no limit]",
)
@click.option(
    "--queue-status",
    type=click.Choice(["503", "429"]),
    default="503",
    show_default=True,
    help="Status of requests that --queue rejects.",
)
@click.option(
    "--max-uids",
    type=click.IntRange(min=1),
    metavar="N",
    help="UIDs per request; the service of larger requests ends with status 500."
    " [default: no limit]",
)
@click.option(
    "--restart",
    callback=read_restart,
    metavar="EVERY,DOWN",
    help="Restart every EVERY seconds: drop all requests and refuse connections for DOWN seconds."
    " [default: never]",
)
@click.option(
    "--rate",
    type=click.IntRange(min=1),
    metavar="N",
    help="Requests per second, with and without an API key. [default: 10 and 3, as at NCBI]",
)
@click.option("--no-limit", is_flag=True, help="No limit of requests per second.")
@click.option(
    "--retry-after",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    metavar="S",
    help="Seconds sent as Retry-After with status 429.",
)
@click.option("--no-retry-after", is_flag=True, help="Send status 429 without Retry-After.")
@click.option(
    "--api-key-accepted",
    "api_keys",
    multiple=True,
    metavar="KEY",
    help="API key to accept; all others are rejected. Repeatable. [default: any key]",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[@UID,UID][*N][:P]",
    help="Fault of requests (with these UIDs; of N requests) with probability P. Repeatable."
    " `all` draws any of them; --list-faults prints the names.",
)
@click.option("--list-faults", is_flag=True, help="Print the names of the faults and exit.")
@click.option(
    "--outage",
    callback=read_outage,
    metavar="FROM-TO",
    help="Seconds after the start between which all requests fail with status 503.",
)
@click.option(
    "--max-hits",
    type=click.IntRange(min=1),
    default=45_000,
    show_default=True,
    metavar="N",
    help="Hits of words in a search at most.",
)
@click.option(
    "--llinkslib", is_flag=True, help="Support cmd=llinkslib, which NCBI removed in 2026."
)
@click.option("--egquery", is_flag=True, help="Offer EGQuery, which NCBI ended in 2024.")
@click.option("--no-gzip", is_flag=True, help="Never compress answers.")
@click.option(
    "--log",
    type=click.Path(dir_okay=False, writable=True),
    metavar="FILE",
    help="File to append one JSON object per request to: when it arrived, when its service began"
    " and ended, whether its client had gone, its UIDs, status and fault.",
)
def emulate(
    *,
    rate: int | None,
    no_limit: bool,
    retry_after: int,
    no_retry_after: bool,
    queue_status: str,
    list_faults: bool,
    no_gzip: bool,
    **settings: object,
) -> None:
    """Serve NCBI's E-utilities on this machine: generated or given links, real limits, faults.

    The first line on stdout is the base URL, for --base-url or HARVESTER_BASE_URL.
    """
    from harvester.emulator.config import EmulatorConfig  # noqa: PLC0415
    from harvester.emulator.faults import NAMES  # noqa: PLC0415

    if list_faults:
        click.echo("\n".join(NAMES))
        return
    if rate is not None and no_limit:
        raise click.UsageError("--rate and --no-limit exclude each other.")
    if settings["queue"] is not None and settings["workers"] is None:
        raise click.UsageError("--queue requires --workers.")
    limits: dict[str, int | None] = {"queue_status": int(queue_status)}
    limits["retry_after"] = None if no_retry_after else retry_after
    if no_limit:
        limits |= {"rate": None}
    elif rate is not None:
        limits |= {"rate": rate, "rate_with_key": rate}
    _run(EmulatorConfig(gzip=not no_gzip, **limits, **settings))  # type: ignore[arg-type]


def _run(config: EmulatorConfig) -> None:
    """Serve until SIGINT or SIGTERM."""
    import asyncio  # noqa: PLC0415

    from harvester.emulator.server import Emulator, serve  # noqa: PLC0415

    async def until_signalled() -> None:
        task = asyncio.ensure_future(serve(config, announce))
        _on_signals(task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            return

    def announce(server: Emulator) -> None:
        print(server.base_url, flush=True)  # noqa: T201 - the one line scripts read

    try:
        asyncio.run(until_signalled())
    except KeyboardInterrupt:
        return  # where the loop cannot watch signals
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"The server cannot start: {error}") from error


def _on_signals(end: Callable[[], object]) -> None:
    """Call `end` on SIGINT and SIGTERM, if the event loop can watch for them."""
    import asyncio  # noqa: PLC0415
    import contextlib  # noqa: PLC0415
    import signal  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(signum, end)
