"""Proxies, logins and certificates from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harvester.client.network import Login, Route, route_to, tls_context
from harvester.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("variable", "value", "url", "proxy"),
    [
        ("HTTPS_PROXY", "http://proxy:3128", NCBI, "http://proxy:3128"),
        ("https_proxy", "proxy:3128", NCBI, "http://proxy:3128"),
        ("HTTPS_PROXY", "https://proxy", NCBI, "https://proxy"),
        ("HTTP_PROXY", "http://proxy:3128", NCBI, None),
        ("HTTP_PROXY", "http://proxy:3128", "http://mirror:8080/", "http://proxy:3128"),
        ("ALL_PROXY", "http://proxy:3128", NCBI, "http://proxy:3128"),
        ("HTTPS_PROXY", "http://[::1]:3128", NCBI, "http://[::1]:3128"),
    ],
)
def test_the_proxy_of_the_scheme_is_used(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, url: str, proxy: str | None
) -> None:
    monkeypatch.setenv(variable, value)
    assert route_to(url) == Route(proxy)


@pytest.mark.parametrize(
    "exceptions", ["*", "ncbi.nlm.nih.gov", ".nlm.nih.gov", "a.example,eutils.ncbi.nlm.nih.gov"]
)
def test_no_proxy_names_the_exceptions(monkeypatch: pytest.MonkeyPatch, exceptions: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert route_to(NCBI) == Route()


@pytest.mark.parametrize(
    ("host", "exceptions", "direct"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "a.example, 10.1.2.9/24", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("[fd00::7]", "fd00::/8", True),
        ("10.1.2.3", "fd00::/8", False),
        ("mirror", "10.0.0.0/8", False),
    ],
)
def test_no_proxy_names_networks_too(
    monkeypatch: pytest.MonkeyPatch, host: str, exceptions: str, direct: bool
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert (route_to(f"http://{host}:8080/eutils/").proxy is None) == direct


def test_a_user_name_that_http_cannot_carry_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "logins"
    file.write_text("machine mirror login a:b password secret\n")
    with pytest.raises(BadInput, match="netrc file has a user name with a colon") as of_netrc:
        route_to("http://mirror/", {"NETRC": str(file)})
    monkeypatch.setenv("HTTP_PROXY", "http://a%3Ab:secret@proxy:3128")
    with pytest.raises(BadInput, match="HTTP_PROXY has a user name with a colon") as of_proxy:
        route_to("http://mirror/")
    assert "secret" not in f"{of_netrc.value} {of_proxy.value}"


def test_a_netrc_file_that_is_no_text_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "logins"
    file.write_bytes(b"machine mirror login a password \xff\xfe\n")
    assert route_to("http://mirror/", {"NETRC": str(file)}) == Route()


def test_a_login_in_the_url_of_the_proxy_is_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:p%40ss@proxy:3128")
    route = route_to(NCBI)
    assert route == Route("http://proxy:3128", Login("user", "p@ss"))
    assert "p@ss" not in repr(route)


def test_a_netrc_file_gives_the_logins_of_hosts_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "logins"
    file.write_text("machine proxy login a password b\nmachine mirror login c password d\n")
    file.chmod(0o600)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    route = route_to("http://mirror/eutils/", {"NETRC": str(file)})
    assert route == Route("http://proxy:3128", Login("a", "b"), Login("c", "d"))


def test_the_default_login_of_a_netrc_file_is_sent_to_no_server(tmp_path: Path) -> None:
    file = tmp_path / "logins"
    file.write_text("default login a password b\n")
    file.chmod(0o600)
    assert route_to(NCBI, {"NETRC": str(file)}) == Route()


@pytest.mark.parametrize("value", ["socks5://proxy:1080", "http://proxy:port", "http://"])
def test_what_is_no_http_proxy_is_one_sentence(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(BadInput, match="HTTPS_PROXY"):
        route_to(NCBI)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_one_sentence(
    tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "bundle.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadInput, match=r"REQUESTS_CA_BUNDLE names .*bundle\.pem"):
        tls_context({"REQUESTS_CA_BUNDLE": str(path)})
