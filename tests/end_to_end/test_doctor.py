"""`harvester doctor`: finds each fault of the set-up, with its remedy, by one request."""

from __future__ import annotations

import json
import re
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import pytest
from support.cookbook import ROOT, blocks_in
from support.harness import command, environment
from support.malicious_server import response
from support.small_disks import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from support.malicious_server import Bytes
    from support.servers import Servers

S = TypeVar("S", bound=socketserver.TCPServer)
KEY = "5ec2e7" * 6
CHECKS = [
    "contact", "api key", "proxy", "name resolution", "connection", "tls", "answer", "clock",
    "rate limit", "locks", "disk", "open files",
]  # fmt: skip
NEEDS_ANSWER = {"connection", "answer", "clock"}


class Report:
    """The findings of one run, by check."""

    def __init__(self, code: int, output: str) -> None:
        assert KEY not in output
        findings = json.loads(output)
        assert all(set(one) == {"check", "ok", "detail", "remedy"} for one in findings)
        assert all((one["remedy"] is None) == one["ok"] for one in findings)
        self.code = code
        self.by_check: dict[str, dict[str, Any]] = {one["check"]: one for one in findings}
        assert code == (0 if all(one["ok"] for one in findings) else 1)

    @property
    def wrong(self) -> set[str]:
        return {name for name, one in self.by_check.items() if not one["ok"]}

    def says(self, check: str) -> str:
        one = self.by_check[check]
        return f"{one['detail']} | {one['remedy']}"


def doctor(servers: Servers, *words: object, env: Mapping[str, str] | None = None) -> Report:
    ended = servers.harvester("doctor", "--json", *words, env=env)
    return Report(ended.code, ended.output)


def in_shell(before: str, *words: object, env: Mapping[str, str] | None = None) -> Report:
    """Run the command from a shell that changes something first."""
    script = f'{before}; exec "$@"'
    line = ["sh", "-c", script, "sh", *command("doctor", "--json", *words)]
    done = subprocess.run(
        line, capture_output=True, text=True, env=environment(**(env or {})), check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return Report(done.returncode, done.stdout)


def test_one_request_shows_that_all_is_well(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    found = doctor(servers, "--base-url", server.base_url, "-o", tmp_path / "not" / "yet")
    assert list(found.by_check) == CHECKS
    assert (found.code, found.wrong) == (0, set())
    assert [entry.utility for entry in server.log] == ["einfo"]
    assert list(tmp_path.iterdir()) == []


def test_accepted_key_is_said(servers: Servers) -> None:
    server = servers.start()
    found = doctor(servers, "--base-url", server.base_url, env={"NCBI_API_KEY": KEY})
    assert not found.wrong
    assert "accepted" in found.says("api key")
    assert len(server.log) == 1


EINFO = b'{"header":{"type":"einfo","version":"0.3"},"einforesult":{"dblist":["pubmed"]}}'
BAD_KEY = json.dumps(
    {"error": "API key invalid", "api-key": KEY, "type": "invalid", "status": "unknown"}
).encode()
BLOCKED = b"<html><body>Access Denied: blocked due to possible misuse</body></html>"
LOGIN = b"<!DOCTYPE html><html><body>Welcome to the guest network</body></html>"


def dated(hours: float, *more: str) -> Bytes:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    return response(EINFO, f"Date: {date}", *more)


@pytest.mark.parametrize(
    ("answer", "wrong", "said"),
    [
        (lambda: response(BAD_KEY, status="400 Bad Request"), "api key", "Copy the key again"),
        (lambda: response(BLOCKED, status="403 Forbidden"), "answer", "eutilities@ncbi"),
        (lambda: response(BLOCKED, kind="text/html"), "answer", "eutilities@ncbi"),
        (lambda: response(LOGIN, kind="text/html"), "answer", "log in with a browser"),
        (lambda: response(b'{"hello": 1}'), "answer", "Check --base-url"),
        (lambda: response(b"", status="404 Not Found"), "answer", "Check --base-url"),
        (lambda: response(b"", status="502 Bad Gateway"), "answer", "Try again later"),
        (lambda: response(b"", status="429 Too Many Requests"), "answer", "too many requests"),
        (lambda: dated(-1.0), "clock", "3,600 s ahead of"),
        (lambda: dated(2.0), "clock", "7,200 s behind"),
        (lambda: dated(-1.0, "Age: 3600"), None, "within"),
        (lambda: dated(0.0), None, "within"),
    ],
)
def test_what_the_server_says_is_told_apart(
    servers: Servers, answer: Any, wrong: str | None, said: str
) -> None:
    fake = servers.malicious_server(servers.start(), lambda _: answer())
    env = {"NCBI_API_KEY": KEY}
    found = doctor(servers, "--base-url", fake.base_url, env=env)
    assert len(fake.requests) == 1
    key_unknown = {"api key"} if wrong == "answer" else set()
    assert found.wrong == ({wrong} | key_unknown if wrong else set())
    about = found.says(wrong or "clock")
    numbers = said.replace("3,600", "3,59").replace("7,200", "7,")
    assert said in about or numbers in about or said.replace("3,600", "3,601") in about


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """Return the context of a server whose certificate no trusted authority signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=house", "-addext",
            "subjectAltName=DNS:localhost,DNS:eutils.invalid,IP:127.0.0.1",
            "-keyout", tmp_path / "key.pem", "-out", tmp_path / "house.pem",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "house.pem", tmp_path / "key.pem")
    return context


def test_certificate_of_an_institute_is_found_and_mended(
    servers: Servers, tmp_path: Path, self_signed: ssl.SSLContext
) -> None:
    fake = servers.malicious_server(servers.start(), lambda _: None, self_signed)
    found = doctor(servers, "--base-url", fake.base_url)
    assert found.wrong == {"tls", "answer", "clock"}
    assert "SSL_CERT_FILE" in found.says("tls")
    assert fake.requests == []
    mended = {"SSL_CERT_FILE": str(tmp_path / "house.pem")}
    found = doctor(servers, "--base-url", fake.base_url, env=mended)
    assert not found.wrong
    assert "SSL_CERT_FILE" in found.says("tls")
    gone = {"SSL_CERT_FILE": str(tmp_path / "gone.pem")}
    found = doctor(servers, "--base-url", fake.base_url, env=gone)
    assert "gone.pem, which is not a file" in found.says("tls")
    assert len(fake.requests) == 1


AUTHORITY = """
[ca]
default_ca = house
[house]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = names
x509_extensions = extensions
[names]
commonName = supplied
[extensions]
subjectAltName = IP:127.0.0.1
"""


def test_expired_certificate_points_at_the_clock(
    servers: Servers, tmp_path: Path, self_signed: ssl.SSLContext
) -> None:
    (tmp_path / "index").touch()
    (tmp_path / "authority").write_text(AUTHORITY)
    request = ["req", "-new", "-key", "key.pem", "-subj", "/CN=house", "-out", "request.pem"]
    sign = [
        "ca", "-batch", "-notext", "-selfsign", "-config", "authority", "-keyfile", "key.pem",
        "-in", "request.pem", "-out", "old.pem",
        "-startdate", "20200101000000Z", "-enddate", "20200102000000Z",
    ]  # fmt: skip
    for words in (request, sign):
        subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)
    self_signed.load_cert_chain(tmp_path / "old.pem", tmp_path / "key.pem")
    fake = servers.malicious_server(servers.start(), lambda _: None, self_signed)
    env = {"SSL_CERT_FILE": str(tmp_path / "old.pem")}
    found = doctor(servers, "--base-url", fake.base_url, env=env)
    assert "certificate has expired" in found.says("tls")
    assert "Check this machine's clock" in found.says("tls")
    assert "if your institute" not in found.says("tls")


class Tunnel(socketserver.ThreadingTCPServer):
    """A proxy that forwards every CONNECT to one port of this machine."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Connect)


class _Connect(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Tunnel)
        self.server.asked.append(self.rfile.readline())
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", self.server.port)) as other:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            sides = {self.connection: other, other: self.connection}
            while True:
                for ready in select.select(list(sides), [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    sides[ready].sendall(data)


def test_certificate_behind_the_proxy_of_a_company(
    servers: Servers, tmp_path: Path, self_signed: ssl.SSLContext
) -> None:
    """The proxy replaces the server's certificate by one of the company."""
    fake = servers.malicious_server(servers.start(), lambda _: None, self_signed)
    port = urlsplit(fake.base_url).port
    assert port is not None
    with serving(Tunnel(port)) as (tunnel, url):
        words = ["--base-url", "https://eutils.invalid/entrez/eutils/"]
        env = {"https_proxy": url, "no_proxy": ""}
        found = doctor(servers, *words, env=env)
        assert found.wrong == {"tls", "answer", "clock"}
        assert "SSL_CERT_FILE" in found.says("tls")
        assert fake.requests == []
        found = doctor(servers, *words, env=env | {"SSL_CERT_FILE": str(tmp_path / "house.pem")})
        assert not found.wrong
        assert url in found.says("proxy")
        assert len(fake.requests) == 1
        assert {line.split()[1] for line in tunnel.asked} == {b"eutils.invalid:443"}


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that answers every CONNECT with one status line."""

    daemon_threads = True
    status = b"403 Forbidden"

    def __init__(self, status: bytes) -> None:
        self.status = status
        super().__init__(("127.0.0.1", 0), _Refuse)


class _Refuse(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        assert isinstance(self.server, Proxy)
        self.wfile.write(b"HTTP/1.1 " + self.server.status + b"\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def serving(server: S) -> Iterator[tuple[S, str]]:
    """Serve in a thread; yield the server and its URL."""
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(b"407 Proxy Authentication Required", "USER:PASSWORD"), (b"403 Forbidden", "permits")],
)
def test_proxy_that_refuses_is_named(servers: Servers, status: bytes, remedy: str) -> None:
    with serving(Proxy(status)) as (_, url):
        found = doctor(servers, "--email=you@example.org", env={"https_proxy": url, "no_proxy": ""})
    assert found.wrong == NEEDS_ANSWER
    assert url in found.says("proxy")
    assert remedy in found.says("connection")


def test_plain_proxy_that_wants_a_login(servers: Servers) -> None:
    with serving(Proxy(b"407 Proxy Authentication Required")) as (_, url):
        env = {"http_proxy": url, "no_proxy": ""}
        found = doctor(servers, "--base-url=http://eutils.invalid/", env=env)
    assert found.wrong == NEEDS_ANSWER
    assert "USER:PASSWORD" in found.says("connection")


def test_login_at_a_proxy_is_not_shown(servers: Servers) -> None:
    server = servers.start()
    env = {"http_proxy": f"http://me:hidden@127.0.0.1:{server.port}", "no_proxy": ""}
    ended = servers.harvester("doctor", "--base-url=http://eutils.invalid/entrez/eutils/", env=env)
    assert ended.code == 0, ended.output
    assert "with a login" in ended.output
    assert "hidden" not in ended.output


def test_wrong_kind_of_proxy_is_named(servers: Servers) -> None:
    env = {"all_proxy": "socks5://127.0.0.1:9", "no_proxy": ""}
    found = doctor(servers, "--base-url=http://eutils.invalid/", env=env)
    assert found.wrong == {"proxy", *NEEDS_ANSWER}
    assert "socks5" in found.says("proxy")


@pytest.fixture
def own_network() -> list[str]:
    """Return the words that run a command in a network namespace with loopback only."""
    words = ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    tools = shutil.which("unshare") and shutil.which("ip")
    if not tools or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces need root, unshare (util-linux) and ip (iproute2)")
    return words


def report_in(words: Sequence[str], *options: str) -> Report:
    done = subprocess.run(
        [*words, *command("doctor", "--json", *options)],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    return Report(done.returncode, done.stdout)


def test_no_name_resolution(own_network: list[str]) -> None:
    found = report_in(own_network, "--email=you@example.org")
    assert found.wrong == {"name resolution", *NEEDS_ANSWER}
    assert "eutils.ncbi.nlm.nih.gov" in found.says("name resolution")
    assert "/etc/resolv.conf" in found.says("name resolution")


def test_page_shows_what_the_program_says(own_network: list[str], tmp_path: Path) -> None:
    """Numbers and paths differ between machines."""
    blocks = blocks_in((ROOT / "docs/planning.md").read_text())
    shown = next(one.text for one in blocks if one.text.startswith("ok      contact"))
    env = environment(HOME=str(tmp_path), XDG_STATE_HOME="")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        env.pop(name, None)
    done = subprocess.run(
        [*own_network, *command("doctor", "--email", "you@example.org")],
        capture_output=True, text=True, env=env, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert masked(done.stdout) == masked(shown)


def masked(text: str) -> str:
    text = re.sub(r"(has no address: ).*", r"\1…", text)  # as the system words it, or it is slow
    for path in (r"/(?:tmp|home)/\S+?(?=/.local|\s)", r"[\d,.]+ (?=GB|per process)"):
        text = re.sub(path, "… ", " ".join(text.split()))
    return text


def test_nothing_listens(own_network: list[str]) -> None:
    found = report_in(own_network, "--base-url=http://127.0.0.1:8080/")
    assert found.wrong == NEEDS_ANSWER
    assert "127.0.0.1:8080" in found.says("connection")


def test_full_disk(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    with small_disk(tmp_path / "disk", 4096) as disk:
        small = doctor(servers, "--base-url", server.base_url, "-o", disk.path / "out")
        disk.fill()
        full = doctor(servers, "--base-url", server.base_url, "-o", disk.path / "out")
        disk.clear()
        disk.make_read_only()
        closed = doctor(servers, "--base-url", server.base_url, "-o", disk.path / "out")
    assert small.wrong == {"disk"}
    assert "MB free" in small.says("disk")
    assert "disk is full" in full.says("disk")
    assert "cannot be written" in closed.says("disk")
    assert {"disk", "locks"} == full.wrong == closed.wrong


def test_file_in_the_place_of_the_folder(servers: Servers, tmp_path: Path) -> None:
    file = tmp_path / "thesis.txt"
    file.write_text("mine")
    found = doctor(servers, "--base-url", servers.start().base_url, "-o", file)
    assert found.wrong == {"disk", "locks"}
    assert "is a file, not a folder" in found.says("disk")


def test_few_open_files(servers: Servers) -> None:
    server = servers.start()
    found = in_shell("ulimit -n 64", "--base-url", server.base_url)
    assert found.wrong == {"open files"}
    assert "ulimit -n" in found.says("open files")


def test_file_system_without_locks(servers: Servers, tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("a file system without locks is made by a C compiler on Linux")
    library, source = tmp_path / "no_locks.so", Path(__file__).parents[1] / "support/no_locks.c"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"],
        check=True, capture_output=True,
    )  # fmt: skip
    below = tmp_path / "lustre"
    below.mkdir()
    server = servers.start()
    env = {"LD_PRELOAD": str(library), "NO_LOCKS_BELOW": str(below)}
    words = ["--base-url", server.base_url, "-o"]
    assert in_shell(":", *words, below / "out", env=env).wrong == {"locks"}
    assert "flock" in in_shell(":", *words, below, env=env).says("locks")
    assert not in_shell(":", *words, tmp_path, env=env).wrong
    assert list(below.iterdir()) == []


def test_no_home_that_can_be_written(servers: Servers) -> None:
    server = servers.start()
    env = {"HOME": "/dev/null", "XDG_STATE_HOME": "", "XDG_CACHE_HOME": ""}
    found = doctor(servers, "--base-url", server.base_url, env=env)
    assert found.wrong == {"rate limit"}
    assert "XDG_STATE_HOME" in found.says("rate limit")


def test_ncbi_is_not_asked_without_an_email(own_network: list[str]) -> None:
    found = report_in(own_network)
    assert "NCBI_EMAIL" in found.says("contact")
    assert {"contact", *NEEDS_ANSWER} <= found.wrong


def test_wrong_variables_are_findings(servers: Servers) -> None:
    server = servers.start()
    words = ["--base-url", server.base_url]
    found = doctor(servers, *words, env={"NCBI_EMAIL": "nobody"})
    assert "Correct or unset NCBI_EMAIL" in found.says("environment")
    found = doctor(servers, *words, env={"NCBI_API_KEY": "two words"})
    assert found.wrong == {"api key"}


def test_cache_of_an_object_store_is_checked(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    words = ["--base-url", server.base_url, "-o", "s3://bucket/name"]
    found = doctor(servers, *words, env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert not found.wrong
    assert str(tmp_path) in found.says("disk")
    ended = servers.harvester("doctor", "-o", "ftp://host/name")
    assert ended.code == 2
    assert "ftp://host/name" in ended.output


def test_wrong_option_is_refused(servers: Servers) -> None:
    ended = servers.harvester("doctor", "--email=nobody")
    assert ended.code == 2
    assert "--email" in ended.output


@pytest.mark.parametrize("width", [60, 80, 120])
def test_text_names_check_finding_and_remedy(servers: Servers, width: int, tmp_path: Path) -> None:
    fake = servers.malicious_server(servers.start(), lambda _: response(LOGIN, kind="text/html"))
    ended = servers.harvester(
        "doctor", "--base-url", fake.base_url, "-o", tmp_path, env={"COLUMNS": str(width)}
    )
    lines = ended.output.splitlines()
    room = width - 25
    assert all(len(line) <= width or max(map(len, line.split())) > room for line in lines)
    begun = [line[:25].split(maxsplit=2) for line in lines if line[:6].strip()]
    assert len(begun) == len(CHECKS) + 1
    text = " ".join(ended.output.split())
    assert "NOT OK answer" in text
    assert "Remedy: Try again later." in text
    assert "1 of 12 checks is not ok." in text
