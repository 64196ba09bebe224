"""Place of a harvest: a folder of this machine, or an object store with a local cache.

A harvest at `s3://bucket/prefix` is processed in a folder below the user's cache folder. The path
of that folder and the URL follow from each other, so the rest of the program sees folders only.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from platformdirs import user_cache_path

SCHEMES = ("s3", "gs", "az")
"""Object stores: Amazon S3 and those that speak its protocol, Google Cloud Storage, Azure Blob."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?:/(.*)|.*)", re.DOTALL)
_PART = re.compile(r"[\w.=+@-]+")


def is_url(text: str) -> bool:
    """Return whether a text is written like a URL."""
    return _URL.fullmatch(text) is not None


def folder_of(url: str) -> Path:
    """Return the local folder for the harvest at a URL.

    Args:
        url: for example `s3://bucket/prefix`; for Azure `az://container/prefix`, with the account
            in the environment.

    Raises:
        ValueError: no harvest can be kept there; the text says why, as half a sentence.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError(f"'{url}' is not a URL")
    scheme, rest = found[1].lower(), (found[2] or "").rstrip("/")
    if scheme not in SCHEMES:
        known = ", ".join(f"{one}://" for one in SCHEMES)
        raise ValueError(f"'{url}': a harvest is kept in a folder of this machine or at {known}")
    if "@" in rest.partition("/")[0]:
        raise ValueError(
            f"a {scheme} URL holds a login: give logins in the environment, as for other tools"
        )
    names = rest.split("/")
    wrong = next((one for one in names if not _PART.fullmatch(one) or set(one) == {"."}), None)
    if wrong is not None or len(names) < 2:
        raise ValueError(
            f"'{url}': write {scheme}://BUCKET/NAME, with letters, digits and _.=+@- in the names"
        )
    return _cache().joinpath(scheme, *names)


def local(place: str) -> Path:
    """Return the local folder of a place: a path, or the URL of an object store.

    Raises:
        ValueError: no harvest can be kept at the URL.
    """
    return folder_of(place) if is_url(place) else Path(place)


def url_of(folder: Path) -> str | None:
    """Return the URL of a harvest, or of a folder in one; None for an ordinary folder."""
    try:
        inner = PurePosixPath(folder.relative_to(_cache()).as_posix())
    except (ValueError, RuntimeError):
        return None
    scheme, *rest = inner.parts or ("",)
    return f"{scheme}://{'/'.join(rest)}" if scheme in SCHEMES and len(rest) > 1 else None


def shown(folder: Path) -> str:
    """Return the folder as the user knows it: its URL, or its path."""
    return url_of(folder) or str(folder)


def _cache() -> Path:
    """Return the folder of all local copies.

    Raises:
        ValueError: the user has no home.
    """
    try:
        return user_cache_path("elink-harvester") / "remote"
    except RuntimeError as error:  # of platformdirs
        raise ValueError(
            "an object store needs a local cache, and there is no home: set XDG_CACHE_HOME"
        ) from error
