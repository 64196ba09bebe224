"""Certificates are checked, the program listens only where told, and paths are resolved safely."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    emulate,
    expected_links,
    status,
    write_uids,
)

if TYPE_CHECKING:
    from support.harness import Finished
    from support.malicious_server import MaliciousServer
    from support.servers import Servers

KEY = "5ec2e7" * 6
UIDS = range(1, 21)


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """Return the context of a server whose certificate no authority signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def harvested(servers: Servers, folder: Path, malicious: MaliciousServer, **env: str) -> Finished:
    """Run a harvest into `out`."""
    return servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", malicious.base_url, "--rate=100", "-o", folder / "out", env=env,
    )  # fmt: skip


def test_a_certificate_that_is_not_trusted_ends_the_run(
    servers: Servers, tmp_path: Path, self_signed: ssl.SSLContext
) -> None:
    """One message names the problem and the remedy; no byte of a request is sent."""
    malicious = servers.malicious_server(servers.start(), lambda _: None, self_signed)
    ended = harvested(servers, tmp_path, malicious, NCBI_API_KEY=KEY)
    assert ended.code == 4, ended.err
    assert "certificate" in ended.err
    assert "SSL_CERT_FILE" in ended.err
    assert malicious.requests == []
    assert status(tmp_path / "out")["uids"]["done"] == 0


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_authority_named_in_the_environment_is_trusted(
    servers: Servers, tmp_path: Path, self_signed: ssl.SSLContext, variable: str
) -> None:
    malicious = servers.malicious_server(servers.start(), lambda _: None, self_signed)
    ended = harvested(servers, tmp_path, malicious, **{variable: str(tmp_path / "certificate.pem")})
    assert ended.code == 0, ended.err
    assert len(malicious.requests) > 0


def test_a_file_of_certificates_that_does_not_exist_is_named(
    servers: Servers, tmp_path: Path, self_signed: ssl.SSLContext
) -> None:
    """OpenSSL ignores it silently."""
    malicious = servers.malicious_server(servers.start(), lambda _: None, self_signed)
    ended = harvested(servers, tmp_path, malicious, SSL_CERT_FILE=str(tmp_path / "none.pem"))
    assert ended.code == 4
    assert f"SSL_CERT_FILE names {tmp_path / 'none.pem'}, which does not exist" in ended.err


def listening(port: int) -> set[str]:
    """Return the addresses on which a port is listened to, in hexadecimal."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("the system has no list of sockets to look at")
    found = set()
    for path in (table, Path("/proc/net/tcp6")):
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            _, local, _, state, *_ = line.split()
            address, _, number = local.partition(":")
            if int(number, 16) == port and state == "0A":
                found.add(address)
    return found


def test_the_emulator_listens_on_this_machine_alone() -> None:
    with emulate("--no-limit") as url:
        assert url.startswith("http://127.0.0.1:")
        assert listening(int(url.split(":")[2].split("/")[0])) == {"0100007F"}


def test_the_emulator_listens_elsewhere_when_told_to() -> None:
    with emulate("--no-limit", "--host=0.0.0.0") as url:
        assert listening(int(url.split(":")[2].split("/")[0])) == {"00000000"}


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("../x", "x"),
        ("~/x", "home/x"),
        ("$HOME/x", "here/$HOME/x"),
        ("~x", None),
        ("link/x", "elsewhere/x"),
    ],
)
def test_a_path_in_a_job_file_means_what_it_means_in_a_shell(
    servers: Servers, tmp_path: Path, path: str, where: str | None
) -> None:
    """It is relative to the folder of the command, not of the job file; only ~ is replaced."""
    server = servers.start()
    for name in ("here", "home", "elsewhere", "jobs"):
        (tmp_path / name).mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    write_uids(tmp_path / "here" / "ids", UIDS)
    job = tmp_path / "jobs" / "job.toml"
    job.write_text(
        '[link]\ndbfrom = "pubmed"\ndb = "pmc"\n[source]\nids = "ids"\n'
        f'[output]\npath = "{path}"\n[server]\nbase_url = "{server.base_url}"\n'
    )
    before = set(tmp_path.rglob("*"))
    with servers.fork_server() as fork_server:
        ended = fork_server.run(
            ["run", "../jobs/job.toml", "--rate=100"],
            cwd=str(tmp_path / "here"), env={"HOME": str(tmp_path / "home")},
        )  # fmt: skip
    if where is None:
        assert ended.code == 2, ended.output
        assert "home directory" in ended.output
        assert set(tmp_path.rglob("*")) == before
        return
    assert ended.code == 0, ended.output
    out = tmp_path / where
    truth = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    assert_exact(out, "pubmed", UIDS, truth)
    assert {new for new in set(tmp_path.rglob("*")) - before if not new.is_relative_to(out)} <= {
        tmp_path / "here" / "$HOME"
    }
    kept = tomllib.loads((out / "job.toml").read_text())["output"]["path"]
    assert Path(kept).is_absolute()
    assert Path(kept).resolve() == out.resolve()
