"""How a registry wants to be convinced: Basic, and tokens from the realm that it names.

RFC 9110 section 11.6.1 (challenges), RFC 7617 (Basic), and distribution's token and OAuth 2 specifications.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlencode

from deadweight.errors import AuthenticationError, TransportError
from deadweight.oci import strict_json
from deadweight.transport.registry.connection import Connections, Response
from deadweight.transport.registry.credentials import Credentials
from deadweight.transport.registry.origin import Origin, is_loopback, shown
from deadweight.transport.registry.reference import RegistryReference

Scopes = frozenset[str]
"""What a token is for, each as ``repository:NAME:ACTION[,ACTION]``."""

MAX_ANSWER = 1 << 20
"""The most bytes of a token server's answer."""
MAX_TOKEN = 64 << 10
_MARGIN = 10.0
"""Seconds before its end at which a token is replaced."""
_LIFETIME = 60
"""Seconds that a token lives whose server does not say (the specification's value)."""
_LONGEST_LIFETIME = 3600

_TOKEN68 = re.compile(r"[\x21-\x7e]+")
_CHALLENGE = re.compile(
    r"""[\s,]*+(?P<name>[A-Za-z0-9!#$%&'*+.^_`|~-]++)
        (?:\s*+=\s*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<bare>[^\s,"]++))|(?=\s|,|$))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One ``WWW-Authenticate``: the scheme in lower case and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Token:
    header: str
    expires: float


class Authenticator:
    """The ``Authorization`` for one origin. Credentials are looked up when the origin first asks for some."""

    def __init__(
        self,
        origin: Origin,
        reference: RegistryReference,
        find: Callable[[], Credentials | None],
        connections: Connections,
        plain_http: bool,
    ) -> None:
        self._origin = origin
        self._subject = f"docker://{reference}"
        self._remedy = f"run `docker login {reference.registry}`"
        self._find = find
        self._connections = connections
        self._plain_http = plain_http
        self._challenge: Challenge | None = None
        self._credentials: Credentials | None = None
        self._tokens: dict[Scopes, _Token] = {}

    def header(self, scopes: Scopes) -> str | None:
        """What to send for `scopes`, as far as is known what the registry wants; None for nothing."""
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            return self._basic()
        token = self._tokens.get(scopes)
        if token is None or token.expires < monotonic():
            token = self._tokens[scopes] = self._new_token(self._challenge, scopes)
        return token.header

    def answer(self, challenges: Iterable[str], scopes: Scopes) -> str:
        """What to send for `scopes` after a 401 with these ``WWW-Authenticate`` headers.

        Raises `AuthenticationError` where no credentials are known that could help.
        """
        offered = {challenge.scheme: challenge for text in challenges for challenge in parse_challenges(text)}
        challenge = offered.get("bearer") or offered.get("basic")
        if challenge is None:
            known = ", ".join(sorted(offered))[:100] or "nothing"
            problem = f"asks for authentication by {known}, where deadweight knows Basic and Bearer"
            raise AuthenticationError(self._subject, problem)
        if self._challenge is None:
            self._credentials = self._find()
        self._challenge = challenge
        if challenge.scheme == "basic":
            return self._basic()
        wanted = merged(scopes | frozenset(challenge.parameters.get("scope", "").split()))
        token = self._tokens[scopes] = self._new_token(challenge, wanted)
        return token.header

    def refused(self) -> AuthenticationError:
        """What to raise when the answer to the challenge did not help either."""
        if self._credentials is None:
            problem = "does not exist, or needs credentials, and none are known"
            return AuthenticationError(self._subject, problem, self._remedy)
        problem = f"the credentials from {self._credentials.origin} are refused"
        return AuthenticationError(self._subject, problem, self._remedy)

    def without_secrets(self, text: str) -> str:
        """`text`, which came from the registry, without any secret of ours that it may repeat."""
        secrets = [token.header.partition(" ")[2] for token in self._tokens.values()]
        if self._credentials is not None:
            known = self._credentials
            secrets += [known.password, known.identity_token, known.registry_token]
            secrets.append(_basic_of(known))
        for secret in filter(None, secrets):
            text = text.replace(secret, "[secret]")
        return text

    def _basic(self) -> str:
        if self._credentials is None or not self._credentials.password:
            raise AuthenticationError(self._subject, "the registry asks for credentials", self._remedy)
        return "Basic " + _basic_of(self._credentials)

    def _new_token(self, challenge: Challenge, scopes: Scopes) -> _Token:
        known = self._credentials
        if known is not None and known.registry_token:
            if not _TOKEN68.fullmatch(known.registry_token):
                raise AuthenticationError(known.origin, "holds a registry token that no header can hold")
            return _Token(f"Bearer {known.registry_token}", float("inf"))
        realm = self._realm(challenge)
        subject = f"the token server at {shown(realm)}"
        with closing(self._asked(realm, challenge.parameters.get("service", ""), scopes)) as response:
            if response.status in (400, 401, 403):
                raise self.refused()
            if response.status != 200:
                problem = f"{subject} answered with status {response.status}"
                raise TransportError(self._subject, problem, "try again later")
            return _token(response.read_all(MAX_ANSWER), subject)

    def _asked(self, realm: str, service: str, scopes: Scopes) -> Response:
        """The token server's answer: to an identity token by OAuth 2, else to a password or to nobody."""
        known = self._credentials
        headers = {"Accept": "application/json"}
        if known is not None and known.identity_token:
            form = {
                "grant_type": "refresh_token",
                "client_id": "deadweight",
                "service": service,
                "scope": " ".join(sorted(scopes)),
                "refresh_token": known.identity_token,
            }
            body = urlencode(form, errors="replace").encode()
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
            return self._connections.request("POST", realm, headers, [body])
        if known is not None:
            headers["Authorization"] = "Basic " + _basic_of(known)
        query = urlencode(
            [*([("service", service)] if service else []), *(("scope", s) for s in sorted(scopes))]
        )
        return self._connections.request("GET", f"{realm}{'&' if '?' in realm else '?'}{query}", headers)

    def _realm(self, challenge: Challenge) -> str:
        """The token server, if it may see the credentials: by TLS, or as plainly as the registry itself."""
        realm = challenge.parameters.get("realm", "")
        if not realm:
            raise AuthenticationError(self._subject, "asks for a token, but does not say from where")
        origin = Origin.of(realm)
        plain = self._origin.scheme == "http" and (self._plain_http or is_loopback(origin.host))
        if origin.scheme != "https" and not plain:
            problem = (
                f"sends us for a token to {shown(realm)}, which would see the credentials over plain HTTP"
            )
            raise AuthenticationError(self._subject, problem, "ask its operator for an https realm")
        return realm


def parse_challenges(text: str) -> list[Challenge]:
    """The challenges of one ``WWW-Authenticate`` header; what is malformed ends the list."""
    found: list[tuple[str, dict[str, str]]] = []
    position = 0
    while match := _CHALLENGE.match(text, position):
        position = match.end()
        quoted, bare = match["quoted"], match["bare"]
        if quoted is None and bare is None:
            found.append((match["name"].lower(), {}))
        elif found:
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            found[-1][1].setdefault(match["name"].lower(), value)
    return [Challenge(scheme, parameters) for scheme, parameters in found]


def merged(scopes: Scopes) -> Scopes:
    """`scopes` with one entry for each resource, all its actions in it."""
    actions: dict[str, set[str]] = {}
    for scope in scopes:
        resource, _, names = scope.rpartition(":")
        actions.setdefault(resource, set()).update(names.split(","))
    return frozenset(f"{resource}:{','.join(sorted(names))}" for resource, names in actions.items())


def _basic_of(known: Credentials) -> str:
    return base64.b64encode(f"{known.username}:{known.password}".encode(errors="replace")).decode()


def _token(raw: bytes, subject: str) -> _Token:
    value = strict_json.loads(raw, subject)
    token = value.get("token") or value.get("access_token")
    if not isinstance(token, str) or not _TOKEN68.fullmatch(token):
        raise AuthenticationError(subject, "sent no token, or one that no header can hold")
    if len(token) > MAX_TOKEN:
        raise AuthenticationError(subject, f"sent a token of {len(token)} bytes; the most is {MAX_TOKEN}")
    lifetime = value.get("expires_in")
    if not isinstance(lifetime, int) or isinstance(lifetime, bool) or lifetime <= 0:
        lifetime = _LIFETIME
    return _Token(f"Bearer {token}", monotonic() + min(lifetime, _LONGEST_LIFETIME) - _MARGIN)
