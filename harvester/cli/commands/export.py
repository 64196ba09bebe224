"""`harvester export`: links in the formats of other tools."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from harvester.api.export import formats
from harvester.api.remote import is_url
from harvester.cli.places import HarvestPlace
from harvester.cli.shared_options import partial_option
from harvester.cli.verbosity import messages
from harvester.errors import BadInput, Interrupted
from harvester.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

_PANEL = "Export"


@click.command()
@click.argument("paths", metavar="OUT... DEST", nargs=-1)
@click.option(
    "--to",
    "form",
    metavar="FORMAT",
    panel=_PANEL,
    help="format, required: " + ", ".join(formats()),
)
@click.option(
    "--wide",
    is_flag=True,
    panel=_PANEL,
    help="one row per UID, also of those without links, and one column per linkname with the "
    "linked UIDs joined by ;",
)
@click.option("--titles", is_flag=True, panel=_PANEL, help="the same as --columns title")
@click.option(
    "--columns",
    metavar="FIELD,…",
    multiple=True,
    panel=_PANEL,
    help="fields of the summaries got with `harvester records`, for example symbol,title,pmcid; "
    "a.b for a member of a member",
)
@click.option("--overwrite", "--force", is_flag=True, panel=_PANEL, help="replace DEST")
@partial_option(_PANEL)
def export(
    paths: Sequence[str],
    form: str | None,
    wide: bool,
    titles: bool,
    columns: Sequence[str],
    overwrite: bool,
    partial: bool,
) -> None:
    """Write the links of OUT to DEST in the format of another tool.

    DEST gets its name once it is whole. The folder of a chain stands for all its hops, and
    several OUTs are written as one.
    """
    from harvester.api.export import export as write

    if form is None:
        raise BadInput(f"Give the format with --to: {', '.join(formats())}.")
    if len(paths) < 2:
        raise BadInput(
            "Name the folder of the harvest, then what to write: "
            f"harvester export OUT --to {form} DEST."
        )
    if is_url(paths[-1]):
        raise BadInput(f"An export is written to this machine, not to {paths[-1]}.")
    folders, to = [HarvestPlace().convert(one, None, None) for one in paths[:-1]], Path(paths[-1])
    said = messages()
    with _interrupted(to), said.display() as listener:
        rows = write(
            folders,
            form,
            to,
            wide=wide,
            columns=[*columns, *["title"] * titles],
            overwrite=overwrite,
            partial=partial,
            listeners=[listener],
        )
    where = "on standard output" if str(to) == "-" else f"in {to}"
    said.note(f"{count(rows, 'link')} {where}")


@contextmanager
def _interrupted(to: Path) -> Iterator[None]:
    """Context in which SIGINT and SIGTERM remove what was written so far, and end the command.

    Raises:
        Interrupted: a signal came.
    """
    came: list[int] = []

    def interrupted(signum: int) -> Interrupted:
        return Interrupted(signum, f"Interrupted; {to} was not written.")

    def stop(signum: int, _: FrameType | None) -> None:
        came.append(signum)
        raise interrupted(signum)

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except Exception as error:  # DuckDB and Arrow raise some in place of what a handler raised
        if came:
            raise interrupted(came[0]) from error
        raise
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
