"""Unfinished harvests as the source of another step: refused, unless explicitly accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.store.folder import JOB, chain_of, hop_folders, is_chain
from harvester.store.kept_job import read_job
from harvester.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harvester.store.reader import HarvestReader


def folders_of(folder: Path, *, partial: bool | None = False) -> list[Path]:
    """Return the folders of the hops of a chain; of a single harvest, its folder.

    Args:
        folder: the folder.
        partial: accept a chain of which hops have not begun; None: the command cannot.

    Raises:
        BadInput: some have not begun.
    """
    if not is_chain(folder):
        return [folder]
    hops, expected = hop_folders(folder), len(read_job(folder).get("hop", [])) + 1
    if len(hops) < expected and not partial:
        raise BadInput(
            f"The chain in {folder} is unfinished: hop {len(hops) + 1} of {expected} has not "
            f"begun. Finish it first (harvester resume {folder}){_instead(partial)}."
        )
    return hops


def check_complete(
    found: HarvestReader, warn: Callable[[str], None], *, partial: bool | None = False
) -> None:
    """Check that another step may build on a harvest.

    Args:
        found: the harvest.
        warn: called with a sentence about what is missing.
        partial: accept an unfinished harvest; None: the command cannot, so the error does not
            name `--partial`.

    Raises:
        BadInput: it is unfinished; says how to finish it.
    """
    folder = found.folder
    if bad := sum(len(one.uids) for one in found.unanswered):
        are, their = ("is", "its") if bad == 1 else ("are", "their")
        warn(
            f"{count(bad, 'UID')} of the harvest in {folder} failed or {are} missing, so {their} "
            f"links are unknown (harvester run {folder / JOB} --retry-failed)."
        )
    if found.complete:
        return
    left = found.wanted - found.done
    if found.partial_source and not left:
        why = f"The harvest in {folder} was itself made from an unfinished one"
        used = "some links"
    else:
        of = f"{found.total:,}" if found.source_ended else "an unknown number"
        why = f"The harvest in {folder} is unfinished"
        used = f"the links of {len(found.done):,} UIDs of {of}"
    if partial:
        warn(f"{why}: only {used} are used.")
        return
    raise BadInput(
        f"{why}: it has only {used}. Finish it first (harvester resume {chain_of(folder) or folder}"
        f"){_instead(partial)}."
    )


def _instead(partial: bool | None) -> str:
    return "" if partial is None else ", or add --partial to use what is committed"
