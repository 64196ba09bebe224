"""The objects below one URL; errors of the store become error messages."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from harvester.errors import FolderError, printable
from harvester.store import durable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harvester.store.durable import Written

MISSING = (
    "The package obstore is missing. Install it with: pip install 'elink-harvester[objectstore]'"
)

_RETRY: dict[str, Any] = {"max_retries": 1000, "retry_timeout": timedelta(seconds=90)}
"""A store is tried for so long; the number of tries is not to end them."""

_SAID = (re.compile("<Code>(.*?)</Code>"), re.compile("<Message>(.*?)</Message>", re.DOTALL))
_DENIED = re.compile("status code: 40[13]")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


Tag: TypeAlias = "dict[str, str]"
"""Identifies the content of an object: its e_tag, and its version if the store has versions."""


class Bucket:
    """The objects below a URL.

    Logins and endpoints come from the environment, under the names that the stores' own tools use
    (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `GOOGLE_APPLICATION_CREDENTIALS`, …).

    Args:
        url: for example `s3://bucket/prefix`.

    Raises:
        FolderError: obstore is not installed, or the settings in the environment are wrong.
    """

    def __init__(self, url: str) -> None:
        try:
            import obstore  # noqa: PLC0415 - only for harvests in object stores
        except ImportError as error:
            raise FolderError(MISSING) from error
        self.url = url
        self._obstore = obstore
        options: dict[str, Any] = {}
        endpoint = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
        if url.startswith("s3://") and endpoint:
            options["endpoint"] = endpoint
        if endpoint.startswith("http://"):
            options["client_options"] = {"allow_http": True}
        with self._errors():
            open_store: Any = obstore.store.from_url
            self._store = open_store(url, retry_config=_RETRY, **options)

    def sizes(self) -> dict[str, int]:
        """Return name → size of all objects."""
        with self._errors():
            return {
                str(one["path"]): int(one["size"])
                for some in self._obstore.list(self._store)
                for one in some
            }

    def create(self, name: str, content: bytes | Path) -> bool:
        """Write an object unless its name exists; return whether it was written."""
        try:
            with self._errors():
                self._obstore.put(self._store, name, content, mode="create", use_multipart=False)
        except _ExistsError:
            return False
        return True

    def put(self, name: str, content: bytes | Path) -> None:
        """Write an object, replacing any of its name."""
        with self._errors():
            self._obstore.put(self._store, name, content)

    def replace(self, name: str, content: bytes, seen: Tag | None) -> Tag | None:
        """Write an object unless it has changed since it was seen.

        Args:
            name: its name.
            content: its new content.
            seen: its tag then; None if it was not there.

        Returns:
            The tag of the new content; None if it was not written, because it has changed.
        """
        mode: Any = "create" if seen is None else seen
        try:
            with self._errors():
                made = self._obstore.put(self._store, name, content, mode=mode, use_multipart=False)
        except (_ExistsError, _MissingError):
            return None
        return _tag(made)

    def find(self, name: str) -> tuple[bytes, Tag] | None:
        """Return the content and the tag of an object; None if there is none."""
        try:
            with self._errors():
                result = self._obstore.get(self._store, name)
                return bytes(result.bytes()), _tag(result.meta)
        except _MissingError:
            return None

    def get(self, name: str) -> bytes:
        """Return the content of an object."""
        with self._errors():
            return bytes(self._obstore.get(self._store, name).bytes())

    def download(self, name: str, path: Path) -> Written:
        """Write an object to a file, which appears whole; return its size and checksum."""
        with self._errors():
            result = self._obstore.get(self._store, name)

            def fill(stream: Any) -> None:
                for block in result.stream(min_chunk_size=1 << 20):
                    stream.write(bytes(block))

            return durable.write(path, fill)

    def delete(self, names: list[str]) -> None:
        """Delete objects; missing ones are ignored."""
        for name in names:
            try:
                with self._errors():
                    self._obstore.delete(self._store, name)
            except _MissingError:
                continue

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Context in which errors of the store are raised as FolderError."""
        from obstore import exceptions  # noqa: PLC0415

        try:
            yield
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
            raise _ExistsError(self.url) from error
        except (exceptions.NotFoundError, FileNotFoundError) as error:
            raise _MissingError(f"{self.url}: an object is missing, or the bucket.") from error
        except exceptions.BaseError as error:
            denied = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
            said = _reason(str(error))
            if isinstance(error, denied) or _DENIED.search(str(error)):
                raise FolderError(
                    f"{self.url} may not be used with the login in the environment; check it "
                    f"({said})."
                ) from error
            raise FolderError(
                f"{self.url} cannot be used: {said}. Committed rows are kept; resume later."
            ) from error


def _reason(text: str) -> str:
    """Return what a store says about a failure, without the request and the retries around it."""
    code, message = (found[1] if (found := one.search(text)) else "" for one in _SAID)
    first = text.split("\n", maxsplit=1)[0]
    said = ": ".join(filter(None, (code, message))) or first.rpartition(" - ")[2]
    return printable(said.strip())[:200].rstrip(".: ")


def _tag(meta: Any) -> Tag:
    return {name: meta[name] for name in ("e_tag", "version") if meta[name] is not None}


class _ExistsError(FolderError):
    """The name exists already."""


class _MissingError(FolderError):
    """There is no such object."""
