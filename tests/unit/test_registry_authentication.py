"""Challenges and scopes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadweight.errors import AuthenticationError
from deadweight.transport.base import Access
from deadweight.transport.registry.authentication import Authenticator, Challenge, merged, parse_challenges
from deadweight.transport.registry.connection import USUAL, Connections
from deadweight.transport.registry.credentials import Credentials
from deadweight.transport.registry.origin import Origin
from deadweight.transport.registry.reference import parse_reference

SCOPES = frozenset({"repository:app:pull"})


@pytest.mark.parametrize(
    ("text", "challenges"),
    [
        (
            'Bearer realm="https://auth.example/token",service="a, b",scope="repository:x:pull,push"',
            [
                Challenge(
                    "bearer",
                    {
                        "realm": "https://auth.example/token",
                        "service": "a, b",
                        "scope": "repository:x:pull,push",
                    },
                )
            ],
        ),
        ("BASIC Realm=plain", [Challenge("basic", {"realm": "plain"})]),
        ('Basic realm = "a \\"b\\" \\\\c"', [Challenge("basic", {"realm": 'a "b" \\c'})]),
        (
            'Negotiate, Basic realm="x" , Bearer realm="y"',
            [
                Challenge("negotiate", {}),
                Challenge("basic", {"realm": "x"}),
                Challenge("bearer", {"realm": "y"}),
            ],
        ),
        ('Bearer realm="a",realm="b"', [Challenge("bearer", {"realm": "a"})]),
        ('realm="x"', []),
        ('Bearer realm="never closed', [Challenge("bearer", {})]),
        ("", []),
        (", ,", []),
    ],
)
def test_challenges(text: str, challenges: list[Challenge]) -> None:
    assert parse_challenges(text) == challenges


@given(st.text(alphabet=' ",=\\aB', max_size=40))
def test_any_header_is_read(text: str) -> None:
    for challenge in parse_challenges(text):
        assert challenge.scheme


@pytest.mark.parametrize(
    "text", [" " * 60_000 + "!", "a" * 60_000 + '="', 'Bearer x="' + "\\" * 60_000, "," * 60_000]
)
def test_long_headers_take_no_time(text: str) -> None:
    parse_challenges(text)


def test_scopes_of_one_repository_are_merged() -> None:
    scopes = frozenset({"repository:a:pull,push", "repository:a:pull", "repository:host:5000/b:pull"})
    assert merged(scopes) == {"repository:a:pull,push", "repository:host:5000/b:pull"}


def authenticator(origin: str, known: Credentials | None, *, plain_http: bool = False) -> Authenticator:
    connections = Connections(Access(plain_http=plain_http), USUAL)
    return Authenticator(Origin.of(origin), parse_reference("app"), lambda: known, connections, plain_http)


def test_nothing_is_sent_unasked() -> None:
    assert authenticator("https://ghcr.io", Credentials("file", "user", "password")).header(SCOPES) is None


def test_basic() -> None:
    asked = authenticator("https://ghcr.io", Credentials("file", "Aladdin", "open sesame"))
    assert asked.answer(['Basic realm="x"'], SCOPES) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert asked.header(SCOPES) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert asked.without_secrets("open sesame, QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == "[secret], [secret]"


def test_login_is_for_the_registry_as_the_user_knows_it() -> None:
    asked = authenticator("https://registry-1.docker.io", None)
    with pytest.raises(AuthenticationError, match=r"asks for credentials; run `docker login docker\.io`"):
        asked.answer(['Basic realm="x"'], SCOPES)


def test_registry_token_needs_no_realm() -> None:
    asked = authenticator("https://ghcr.io", Credentials("file", registry_token="token"))
    assert asked.answer(["Bearer"], SCOPES) == "Bearer token"


def test_registry_token_that_no_header_can_hold() -> None:
    asked = authenticator("https://ghcr.io", Credentials("the file", registry_token="to\r\nken"))
    with pytest.raises(AuthenticationError, match="the file: holds a registry token that no header can hold"):
        asked.answer(["Bearer"], SCOPES)


def test_any_password_can_be_sent() -> None:
    asked = authenticator("https://ghcr.io", Credentials("file", "user", "\ud800"))
    assert asked.answer(['Basic realm="x"'], SCOPES).startswith("Basic ")


@pytest.mark.parametrize(
    ("registry", "plain_http", "realm"),
    [
        ("https://ghcr.io", False, "http://ghcr.io/token"),
        ("https://ghcr.io", False, "http://127.0.0.1:1/token"),
        ("https://ghcr.io", True, "http://ghcr.io/token"),
        ("http://127.0.0.1:5000", False, "http://elsewhere.invalid/token"),
    ],
)
def test_realms_that_would_show_the_credentials(registry: str, plain_http: bool, realm: str) -> None:
    asked = authenticator(registry, Credentials("file", "user", "password"), plain_http=plain_http)
    with pytest.raises(AuthenticationError, match="which would see the credentials over plain HTTP"):
        asked.answer([f'Bearer realm="{realm}"'], SCOPES)
