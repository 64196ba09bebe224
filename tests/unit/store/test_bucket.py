"""What is said when an object store refuses."""

from __future__ import annotations

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("obstore", reason="the extra objectstore is not installed")

from harvester.errors import BadInput, FolderError
from harvester.model.place import folder_of
from harvester.store.folder import check_harvest
from harvester.store.remote import bucket
from harvester.store.remote.bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


EMPTY = (
    b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>harvests</Name>'
    b"<Prefix/><KeyCount>0</KeyCount><MaxKeys>9</MaxKeys><IsTruncated>false</IsTruncated>"
    b"</ListBucketResult>"
)


class Refusing(HTTPServer):
    """An S3 server that answers every request alike, at first with some status 503."""

    answer = (500, b"")
    busy = 0


class _Handler(BaseHTTPRequestHandler):
    server: Refusing

    def do_GET(self) -> None:
        status, body = self.server.answer
        if self.server.busy:
            self.server.busy -= 1
            status, body = 503, b"<Error><Code>SlowDown</Code></Error>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusing]:
    with Refusing(("127.0.0.1", 0), _Handler) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-login")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "code", "message", "begins"),
    [
        (404, "NoSuchBucket", "The specified bucket does not exist", "cannot be used"),
        (400, "ExpiredToken", "The provided token has expired.", "cannot be used"),
        (403, "RequestTimeTooSkewed", "The difference is too large.", "may not be used with the"),
        (403, "InvalidAccessKeyId", "It does not exist.", "may not be used with the login"),
    ],
)
def test_the_reason_of_the_store_is_said(
    refusing: Refusing, status: int, code: str, message: str, begins: str
) -> None:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    refusing.answer = (status, body.encode())
    with pytest.raises(FolderError) as caught:
        Bucket("s3://harvests/x").sizes()
    said = str(caught.value)
    assert said.startswith(f"s3://harvests/x {begins}")
    assert f"{code}: {message.rstrip('.')}" in said
    assert "the-login" not in said
    assert "the-secret" not in said
    assert "list-type" not in said
    assert ".." not in said


def test_a_busy_store_is_asked_again_until_the_time_is_over(
    refusing: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight tries were over within three seconds."""
    briefly = timedelta(milliseconds=1)
    backoff = {"init_backoff": briefly, "max_backoff": briefly, "base": 2.0}
    monkeypatch.setitem(bucket._RETRY, "backoff", backoff)
    refusing.answer, refusing.busy = (200, EMPTY), 40
    assert Bucket("s3://harvests/x").sizes() == {}
    assert not refusing.busy


def test_a_wrong_region_is_said(refusing: Refusing) -> None:
    refusing.answer = (301, b"<Error><Code>PermanentRedirect</Code></Error>")
    with pytest.raises(FolderError, match=r"cannot be used: .*region"):
        Bucket("s3://harvests/x").sizes()


def test_a_url_without_a_harvest_is_named_as_the_user_knows_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(BadInput, match=r"^s3://harvests/x holds no harvest: the store has no"):
        check_harvest(folder_of("s3://harvests/x"))
