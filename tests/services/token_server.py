"""A token server as distribution specifies it: docker-registry checks the signature of each token for real."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from services.certificates import Authority
from services.web import Request, Web, respond, serving


@dataclass(slots=True)
class TokenServer:
    """A running token server. `granted` lists the scopes of each token that it gave, `refresh` its refresh tokens."""

    web: Web
    service: str
    issuer: str
    refresh: dict[str, str] = field(default_factory=dict)
    granted: list[list[str]] = field(default_factory=list)

    @property
    def realm(self) -> str:
        return f"{self.web.url}/token"


@contextmanager
def token_server(authority: Authority, users: Mapping[str, str]) -> Iterator[TokenServer]:
    """Tokens for `users` (name to password): pull and push anywhere; without credentials, pull of ``public/`` only."""

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(request.path).query) or parse_qs(request.body.decode())
        user, known = _user(request, query, users, server.refresh)
        if not known:
            respond(handler, 401, b'{"errors":[{"code":"UNAUTHORIZED","message":"wrong credentials"}]}')
            return
        wanted = [scope for text in query.get("scope", []) for scope in text.split()]
        access = [grant for grant in (_grant(scope, user) for scope in wanted) if grant["actions"]]
        server.granted.append(wanted)
        token = _token(authority, server, user, access)
        name = "access_token" if request.method == "POST" else "token"
        body = json.dumps({name: token, "expires_in": 60}).encode()
        respond(handler, 200, body, {"Content-Type": "application/json"})

    with serving(answer) as web:
        server = TokenServer(web, "registry-of-tests", "tests")
        yield server


def _user(
    request: Request, query: Mapping[str, list[str]], users: Mapping[str, str], refresh: Mapping[str, str]
) -> tuple[str, bool]:
    """The name, empty for nobody, and whether what was shown is right."""
    if request.method == "POST":
        user = refresh.get(query.get("refresh_token", [""])[0], "")
        return user, bool(user) and query.get("grant_type") == ["refresh_token"]
    header = request.headers.get("Authorization", "")
    if not header:
        return "", True
    user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return user, users.get(user) == password


def _grant(scope: str, user: str) -> dict[str, object]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    allowed = {"pull", "push"} if user else ({"pull"} if name.startswith("public/") else set())
    return {"type": kind, "name": name, "actions": sorted(allowed & set(actions.split(",")))}


def _token(authority: Authority, server: TokenServer, user: str, access: list[dict[str, object]]) -> str:
    """A JSON web token (RFC 7519), signed with RS256; its header carries the certificate."""
    lines = authority.certificate.read_text().splitlines()
    certificate = "".join(line for line in lines if not line.startswith("-----"))
    now = int(time.time())
    header = {"typ": "JWT", "alg": "RS256", "x5c": [certificate]}
    claims = {
        "iss": server.issuer,
        "sub": user,
        "aud": server.service,
        "exp": now + 300,
        "nbf": now - 10,
        "iat": now,
        "jti": secrets.token_hex(8),
        "access": access,
    }
    message = b".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
    return (message + b"." + _base64url(authority.sign(message))).decode()


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
