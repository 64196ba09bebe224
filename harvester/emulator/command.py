"""The command `emulate`: its options into a configuration, and the server until a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.emulator.config import EmulatorConfig

# aiohttp, numpy and pyarrow are imported only once the command runs, so that help stays fast.


def _seconds(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...]:
    """`0.8` or `0.8,6.8,13` as numbers."""
    del context, parameter
    try:
        numbers = tuple(float(part) for part in (value or "").split(",") if part.strip())
    except ValueError:
        numbers = (-1.0,)
    if any(not 0.0 <= number < float("inf") for number in numbers):
        raise click.BadParameter(f"{value!r} is not a list of seconds, such as 0.8 or 0.8,6.8,13.")
    return numbers


def _outage(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, float] | None:
    """`10-60` as two numbers."""
    del context, parameter
    if value is None:
        return None
    first, dash, last = value.partition("-")
    try:
        span = (float(first), float(last)) if dash else (1.0, 0.0)
    except ValueError:
        span = (1.0, 0.0)
    if not 0.0 <= span[0] < span[1]:
        raise click.BadParameter(f"{value!r} is not a span of seconds, such as 10-60.")
    return span


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
    "--seed", type=int, default=0, show_default=True, help="Of the links, latencies and faults."
)
@click.option(
    "--links",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Serve these links (.parquet, .csv or .tsv with dbfrom, from_uid, dbto, linkname, to_uid"
    " and, if there are any, score) instead of the generated ones.",
)
@click.option(
    "--links-per-uid",
    type=click.IntRange(1, 512),
    metavar="N",
    help="Exactly N generated links a UID, in every linkname that has several.",
)
@click.option(
    "--latency",
    callback=_seconds,
    metavar="S[,S]",
    help="Seconds before an answer; of several one is drawn for each request.",
)
@click.option(
    "--latency-per-uid",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="S",
    help="Seconds more for each UID asked for.",
)
@click.option(
    "--rate",
    type=click.IntRange(min=1),
    metavar="N",
    help="Requests a second, with an API key and without. [default: 10 and 3, as at NCBI]",
)
@click.option("--no-limit", is_flag=True, help="Any number of requests a second.")
@click.option(
    "--retry-after", type=click.IntRange(min=0), metavar="S", help="Send Retry-After with a 429."
)
@click.option(
    "--api-key-accepted",
    "api_keys",
    multiple=True,
    metavar="KEY",
    help="Accept this key and, of all others, none; again and again. [default: any key]",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[@UID,UID][*N][:P]",
    help="Let this befall requests (with these UIDs; N of them, then no more) with probability P;"
    " again and again. `all` is any of them; --list-faults names them.",
)
@click.option("--list-faults", is_flag=True, help="Print the names of the faults and exit.")
@click.option(
    "--outage",
    callback=_outage,
    metavar="FROM-TO",
    help="Fail everything (503) between these seconds after the start.",
)
@click.option("--no-gzip", is_flag=True, help="Never compress answers.")
@click.option(
    "--log",
    type=click.Path(dir_okay=False, writable=True),
    metavar="FILE",
    help="Append one JSON object a request to FILE.",
)
def emulate(
    *,
    rate: int | None,
    no_limit: bool,
    list_faults: bool,
    no_gzip: bool,
    **settings: object,
) -> None:
    """Serve NCBI's E-utilities from this machine: generated or given links, real limits, faults.

    The first line on stdout is the base URL, for --base-url or HARVESTER_BASE_URL.
    """
    from harvester.emulator.config import EmulatorConfig  # noqa: PLC0415
    from harvester.emulator.faults import NAMES  # noqa: PLC0415

    if list_faults:
        click.echo("\n".join(NAMES))
        return
    if rate is not None and no_limit:
        raise click.UsageError("--rate and --no-limit exclude each other.")
    limits: dict[str, int | None] = {}
    if no_limit:
        limits = {"rate": None}
    elif rate is not None:
        limits = {"rate": rate, "rate_with_key": rate}
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
        raise click.ClickException(f"cannot serve: {error}") from error


def _on_signals(end: Callable[[], object]) -> None:
    """Call `end` on SIGINT and SIGTERM, where the event loop can watch for them."""
    import asyncio  # noqa: PLC0415
    import contextlib  # noqa: PLC0415
    import signal  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(signum, end)
