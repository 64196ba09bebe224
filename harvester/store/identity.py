"""The identity of a folder: what it holds, from which server, for which job.

The first run records it in the state, and every later run must match it. Folders written before
version 2 have neither `holds` nor `server`: these are then read from the folder.
"""

from __future__ import annotations

import json
import shlex
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harvester.errors import BadInput, FolderError
from harvester.store.folder import JOB, LINKS, RECORDS
from harvester.store.state_reader import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harvester.store.state_reader import Part

VERSION = 2
"""Newest version of the identity that is understood; those of version 1 have no `version`."""

BY_RANK = "rank"
"""Rule of the shares (`--shard`) of version 1: equal pieces of the sorted list."""

Identity = dict[str, Any]
"""`version`, and group → key → value: `holds`, `server`, `shards`, `link`, `output`, `source`."""

_LOCAL = ("localhost", "127.0.0.1", "::1")


def known_identity(folder: Path, kept: str) -> Identity:
    """Return the identity in the state of a folder, completed if an older version wrote it.

    Args:
        folder: the folder.
        kept: the identity as JSON, as it is in the state.

    Raises:
        FolderError: a newer version has written it.
    """
    known: Identity = json.loads(kept)
    if known.get("version", 1) > VERSION:
        raise FolderError(f"{folder} was written by a newer version of harvester; update this one.")
    for key in ("db", "linkname"):  # their order is irrelevant
        if key in known["link"]:
            known["link"][key] = sorted(set(known["link"][key]))
    if "holds" not in known:
        known["holds"] = _held_before(folder)
    if "server" not in known and (url := _server_before(folder)):
        known["server"] = {"base_url": url}
    if "shards" not in known:
        known["shards"] = {"rule": BY_RANK}
    return known


def check_same_job(folder: Path, kept: str | None, asked: Identity) -> None:
    """Check that a folder belongs to a job, or to none yet.

    Args:
        folder: folder of the harvest.
        kept: identity in the state of the folder, as JSON; None without one.
        asked: identity of the job.

    Raises:
        BadInput: the folder holds something else; names the difference and the remedy.
        FolderError: a newer version has written it.
    """
    if kept is None:
        return
    known = known_identity(folder, kept)
    if known["holds"]["kind"] == RECORDS and asked.get("holds", {}).get("kind") == LINKS:
        check_holds_links(folder, known)
    _check_holds(folder, known, asked.get("holds", {}))
    if "server" in asked:
        check_server(folder, known, asked["server"]["base_url"])
    if _job_of(known) != _job_of(asked):
        raise BadInput(_difference(folder, _job_of(known), asked))


def check_holds_links(folder: Path, known: Mapping[str, Any]) -> None:
    """Check that a folder does not hold records.

    Raises:
        BadInput: it does; says how to continue them.
    """
    if known["holds"]["kind"] == RECORDS:
        raise BadInput(
            f"{folder} holds records of {known['link']['dbfrom']}, not links. "
            f"{_how_to_continue(folder, known)}"
        )


def check_not_mixed(folder: Path, recorded: Sequence[Part], rows: str) -> None:
    """Check that all rows are in the folder for rows of their kind.

    Version 1 let `resume` ask for links in a folder of records, and so mixed them.

    Args:
        folder: the folder.
        recorded: its committed parts.
        rows: name of the folder of the rows, `links` or `records`.

    Raises:
        BadInput: some are elsewhere.
    """
    for part in recorded:
        if part.kind == "links" and not part.name.startswith(f"{rows}/"):
            raise BadInput(
                f"{folder / part.name} is no part of {rows}: links and records were mixed in "
                f"{folder}. Move it away, and get what it held again."
            )


def shares_by_rank(folder: Path, kept: str) -> bool:
    """Return whether the shares of a folder's input are cut as version 1 cut them."""
    return bool(known_identity(folder, kept)["shards"]["rule"] == BY_RANK)


def server_name(base_url: str) -> str:
    """Return an address such that two ways to write one server are equal.

    Example:
        >>> server_name("http://127.0.0.1:8080/"), server_name("http://LOCALHOST:8080")
        ('localhost:8080', 'localhost:8080')
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    host = _LOCAL[0] if host in _LOCAL else host
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return (host + ("" if port in (80, 443) else f":{port}") + parts.path).rstrip("/")


def _job_of(identity: Identity) -> Identity:
    return {
        group: keys
        for group, keys in identity.items()
        if group not in ("version", "holds", "server", "shards")
    }


def _check_holds(folder: Path, known: Identity, asked: Mapping[str, str]) -> None:
    holds = known["holds"]
    if all(asked.get(key, value) == value for key, value in holds.items()):
        return
    if holds["kind"] != RECORDS:
        raise BadInput(f"{folder} holds links, not records; records need a folder of their own.")
    raise BadInput(f"{folder} holds other records. {_how_to_continue(folder, known)}")


def check_server(folder: Path, known: Mapping[str, Any], base_url: str) -> None:
    """Check that what a folder holds is from a server.

    Args:
        folder: the folder.
        known: its identity.
        base_url: address of the server that is to be asked.

    Raises:
        BadInput: it is from another; rows of two servers are never mixed.
    """
    before, now = known.get("server", {}).get("base_url", base_url), base_url
    if server_name(before) != server_name(now):
        raise BadInput(
            f"{folder} holds what {before} answered, not {now}; give another --out for {now}. "
            f"To go on, ask {before} (--base-url of run, or HARVESTER_BASE_URL)."
        )


def _difference(folder: Path, kept: Identity, asked: Identity) -> str:
    for group, values in kept.items():
        for key, value in values.items():
            if asked[group].get(key) != value:
                return (
                    f"{folder} holds a harvest with {group}.{key} = {value}, not "
                    f"{asked[group].get(key)}; give another --out for another job."
                )
    return f"{folder} holds the harvest of another job; give another --out."


def _held_before(folder: Path) -> dict[str, str]:
    """Return what a folder of version 1 holds, according to its place."""
    whole = folder.absolute()
    inside = whole.parent.name == RECORDS and (whole.parent.parent / FILE).is_file()
    if not inside and ((folder / LINKS).is_dir() or not (folder / RECORDS).is_dir()):
        return {"kind": LINKS}
    summary = whole.name.endswith("-summary")
    return {"kind": RECORDS} | ({"form": "summary"} if summary else {})


def _server_before(folder: Path) -> str | None:
    """Return the server in the job of a folder of version 1."""
    try:
        job = tomllib.loads((folder / JOB).read_text(encoding="utf-8"))
        return str(job["server"]["base_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _how_to_continue(folder: Path, identity: Mapping[str, Any]) -> str:
    """Return the sentence that says how to continue with the folder of some records."""
    whole = folder.resolve()
    if whole.parent.name != RECORDS or not (whole.parent.parent / FILE).is_file():
        return (
            f"It continues only in {RECORDS}/ of the harvest that it was made from: move it back."
        )
    holds, words = identity["holds"], ["harvester", "records", str(whole.parent.parent)]
    if holds.get("side", "to") != "to":
        words += ["--side", holds["side"]]
    if holds.get("form", "summary") != "summary":
        words += ["--as", holds["form"]]
    return f"Go on with: {shlex.join(words)}"
