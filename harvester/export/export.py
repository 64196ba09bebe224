"""Check the options of an export, and write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester import events
from harvester.errors import BadInput, nearest
from harvester.export import FORMATS, Options
from harvester.export.destination import check_destination, is_stdout, written_to
from harvester.export.harvests import open_harvests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harvester.export import Format
    from harvester.export.harvests import Harvests

_MAY_BE_WIDE = ("csv", "tsv", "xlsx", "parquet")
_NOT_WRITTEN = (".bz2", ".xz", ".zst", ".zip", ".7z")
_ALREADY = ("uid", "db", "id")
_WITH_FIELDS = (*_MAY_BE_WIDE, "duckdb", "neo4j", "kgx", "graphml")


def export(
    folders: Sequence[Path],
    form: str,
    final: Path,
    options: Options,
    *,
    overwrite: bool = False,
    partial: bool = False,
    listeners: Iterable[events.Listener] = (),
) -> int:
    """Write the links of some harvests in a format.

    Args:
        folders: folders of harvests or chains.
        form: a key of `FORMATS`.
        final: the file or folder to write.
        options: content of a table.
        overwrite: replace what is there.
        partial: accept unfinished harvests.
        listeners: called with warnings and progress.

    Returns:
        Rows of links that were written.

    Raises:
        BadInput: the format cannot hold these links, or the destination does not fit.
        HarvestError: a harvest cannot be read, or the disk cannot be written.
    """
    found = FORMATS.get(form)
    if found is None:
        hint = nearest(form, FORMATS) or f"; there are {', '.join(FORMATS)}"
        raise BadInput(f"There is no export format '{form}'{hint}.")
    _check_name(form, found, final)
    _check_options(form, options)
    ours = (lambda name: name.endswith(found.owned)) if found.is_folder else None
    check_destination(final, folders, found.companions, overwrite=overwrite, ours=ours)
    harvests = open_harvests(folders, events.to_all(listeners), partial=partial)
    _check_rows(form, found, harvests)
    write = found.load()
    with written_to(final, companions=found.companions, ours=ours) as destination:
        write(harvests, destination, options)
    return harvests.row_count


def _check_name(form: str, found: Format, final: Path) -> None:
    """Check that the suffix of a name does not contradict the format.

    Raises:
        BadInput: it does, or the format cannot be compressed or written to standard output.
    """
    if is_stdout(final):
        if not found.text or found.companions:
            raise BadInput(f"{form} cannot be written to standard output. Name a file.")
        return
    name = final.name.lower()
    packed = name.endswith(".gz")
    if packed and not found.text:
        raise BadInput(f"{form} is not written as .gz. Leave .gz out of the name {final.name}.")
    if other := next((one for one in _NOT_WRITTEN if name.endswith(one)), None):
        raise BadInput(
            f"{final.name} has the suffix {other}, but exports are compressed as .gz only."
        )
    name = name.removesuffix(".gz")
    if name.endswith(found.suffixes):
        return
    for other, its in FORMATS.items():
        if its.suffixes and name.endswith(its.suffixes):
            usual = found.suffixes[0] if found.suffixes else ""
            instead = "a folder" if found.is_folder else f"a name that ends in {usual}"
            raise BadInput(
                f"{final.name} has the suffix of {other}, not of {form}. "
                f"Add --to {other}, or give {instead}."
            )


def _check_options(form: str, options: Options) -> None:
    for given, name, forms in (
        (options.wide, "--wide", _MAY_BE_WIDE),
        (options.columns, "--columns (and --titles)", _WITH_FIELDS),
    ):
        if given and form not in forms:
            raise BadInput(f"{name} is for {', '.join(forms)}, not for {form}.")
    for name in options.columns:
        if name.lower() in _ALREADY:
            raise BadInput(f"Leave {name} out of --columns: every export has it already.")


def _check_rows(form: str, found: Format, harvests: Harvests) -> None:
    """Check that a graph can be made of the rows.

    Raises:
        BadInput: they do not lead from one record to another.
    """
    if found.table or harvests.is_graph:
        return
    first = harvests.first
    what = (
        "distinct targets (--targets-only), which do not say who links to them"
        if first.kind == "targets"
        else f"rows of cmd {first.cmd}, which lead to no records"
    )
    tables = ", ".join(name for name, one in FORMATS.items() if one.table)
    raise BadInput(f"{first.folder} holds {what}: {form} needs links. Use one of {tables}.")
