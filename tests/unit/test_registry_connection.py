"""Whom we speak with, how, and through whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from deadweight.errors import TransportError
from deadweight.transport.base import Access
from deadweight.transport.registry.origin import Origin, is_loopback, joined, shown
from deadweight.transport.registry.proxy import Proxy, proxy_for
from deadweight.transport.registry.reference import parse_reference
from deadweight.transport.registry.session import Session, _retry_after
from deadweight.transport.registry.tls import tls_context


@pytest.mark.parametrize(
    ("url", "origin", "text"),
    [
        ("https://Host/x", Origin("https", "host", 443), "https://host"),
        ("http://host:80", Origin("http", "host", 80), "http://host"),
        ("https://host:80/", Origin("https", "host", 80), "https://host:80"),
        ("http://[::1]:5000/v2/", Origin("http", "::1", 5000), "http://[::1]:5000"),
    ],
)
def test_origin(url: str, origin: Origin, text: str) -> None:
    assert Origin.of(url) == origin
    assert str(origin) == text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host",
        "ftp://host",
        "https://",
        "https:///x",
        "http://user:secret@host/",
        "http://h:99999",
        "http://[::1",
    ],
)
def test_no_origin(url: str) -> None:
    with pytest.raises(TransportError) as caught:
        Origin.of(url)
    assert "secret" not in str(caught.value)


def test_locations() -> None:
    assert joined("https://host/v2/a", "/v2/b?x=1") == "https://host/v2/b?x=1"
    assert joined("https://host/v2/a", "b") == "https://host/v2/b"
    assert joined("https://host/v2/a", "//other/b") == "https://other/b"
    assert joined("https://host/v2/a", "http://other/b") == "http://other/b"
    with pytest.raises(TransportError):
        joined("https://host/v2/a", "data:text/plain,x")


def test_addresses_in_messages_hold_no_secrets() -> None:
    assert shown("https://user:secret@cdn.example/blob?signature=secret") == "https://cdn.example/blob"
    assert shown("https://cdn.example/\x1b[31m") == "'https://cdn.example/\\x1b[31m'"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("128.0.0.1", False),
        ("0.0.0.0", False),
        ("::2", False),
        ("10.0.0.1", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_plain_http_is_for_those_who_ask() -> None:
    target = parse_reference("registry.invalid:5000/app")
    assert str(Session(target, Access()).origin) == "https://registry.invalid:5000"
    assert str(Session(target, Access(plain_http=True)).origin) == "http://registry.invalid:5000"
    assert str(Session(parse_reference("alpine"), Access()).origin) == "https://registry-1.docker.io"


# Proxies

REGISTRY = Origin.of("https://registry.example:5000")


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://upper", "https_proxy": "http://lower"}, "http://lower"),
        ({"HTTP_PROXY": "http://proxy"}, None),
        ({"ALL_PROXY": "http://proxy"}, "http://proxy"),
        ({"HTTPS_PROXY": ""}, None),
    ],
)
def test_proxies(environment: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(REGISTRY, environment) == (proxy and Proxy(proxy))


@pytest.mark.parametrize(
    ("exceptions", "host", "direct"),
    [
        ("*", "https://registry.example", True),
        ("registry.example", "https://registry.example", True),
        ("example", "https://registry.example", True),
        (".example", "https://registry.example", True),
        ("*.example", "https://registry.example", True),
        ("other, REGISTRY.example:5000", "https://registry.example:5000", True),
        ("registry.example:5000", "https://registry.example", False),
        ("egistry.example", "https://registry.example", False),
        ("registry.example.org", "https://registry.example", False),
        ("", "https://registry.example", False),
        (",", "https://registry.example", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.1.2.3", "https://10.1.2.3:5000", True),
        ("10.1.2.3:80", "https://10.1.2.3:5000", False),
        ("11.0.0.0/8", "https://10.1.2.3", False),
        ("fd00::/8", "https://[fd00::1]", True),
        ("", "https://127.0.0.1", True),
        ("", "https://localhost:5000", True),
    ],
)
def test_exceptions_from_proxies(exceptions: str, host: str, direct: bool) -> None:
    environment = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": exceptions}
    assert (proxy_for(Origin.of(host), environment) is None) is direct


def test_proxy_with_a_password() -> None:
    proxy = proxy_for(REGISTRY, {"HTTPS_PROXY": "http://us%40er:p%C3%A4ss@proxy:3128/"})
    assert proxy is not None
    assert proxy.url == "http://proxy:3128"
    assert proxy.headers == {"Proxy-Authorization": "Basic dXNAZXI6cMOkc3M="}
    assert repr(proxy) == "Proxy(url='http://proxy:3128')"


@pytest.mark.parametrize(
    "proxy", ["socks5://proxy:1080", "http://", "http://[::1", "http://u:secret@h:99999"]
)
def test_senseless_proxy(proxy: str) -> None:
    with pytest.raises(TransportError) as caught:
        proxy_for(REGISTRY, {"HTTPS_PROXY": proxy})
    assert str(caught.value) == "HTTP_PROXY or HTTPS_PROXY: is not the address of an HTTP proxy"


# Certificates


def test_ca_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with pytest.raises(
        TransportError, match=r"ca\.pem: holds no CA certificate that can be read: No such file"
    ):
        tls_context(REGISTRY, Access(ca_file=path), ())
    path.write_text("no certificate")
    with pytest.raises(TransportError, match=r"ca\.pem: holds no CA certificate"):
        tls_context(REGISTRY, Access(ca_file=path), ())


def test_folder_of_a_host(tmp_path: Path) -> None:
    mine = tmp_path / "registry.example:5000"
    mine.mkdir()
    (mine / "ca.crt").write_text("no certificate")
    tls_context(Origin.of("https://other.example"), Access(), (tmp_path, tmp_path / "none"))
    with pytest.raises(TransportError, match=r"ca\.crt: holds no CA certificate"):
        tls_context(REGISTRY, Access(), (tmp_path,))


def test_folders_are_for_hosts_alone(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    (tmp_path / "certs.d").mkdir()
    tls_context(Origin("https", "..", 443), Access(), (tmp_path / "certs.d",))


# Patience


def test_retry_after() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < (_retry_after(soon) or 0) <= 100
    assert _retry_after("Fri, 31 Dec 1999 23:59:59 GMT") == 0
    assert _retry_after("120") == 120
    assert _retry_after("9" * 400) == 999_999_999
    for nothing in ("", "soon", "-1", "1.5", "²"):
        assert _retry_after(nothing) is None
