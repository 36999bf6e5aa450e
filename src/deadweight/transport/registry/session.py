"""Requests to one registry: which scheme it speaks, who we are to it, when to try again, where it redirects to."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from pathlib import Path

from deadweight.errors import (
    AuthenticationError,
    DeadweightError,
    InvalidDocument,
    LimitExceeded,
    NotFound,
    TransportError,
)
from deadweight.oci import fields, strict_json
from deadweight.transport.base import Access
from deadweight.transport.registry.authentication import Authenticator, Scopes
from deadweight.transport.registry.connection import (
    USUAL,
    BrokenConnection,
    Connections,
    NotTls,
    Patience,
    Response,
)
from deadweight.transport.registry.credentials import find_credentials
from deadweight.transport.registry.origin import Origin, is_loopback, joined, shown
from deadweight.transport.registry.reference import RegistryReference
from deadweight.transport.registry.tls import CERTIFICATE_FOLDERS

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_TRANSIENT = frozenset({429, 500, 502, 503, 504})
_MAX_ERROR = 64 << 10
_NO_HEADERS: Mapping[str, str] = {}


class Session:
    """Requests about one repository. May be used from several threads."""

    def __init__(
        self,
        reference: RegistryReference,
        access: Access,
        patience: Patience = USUAL,
        certificate_folders: Sequence[Path] = CERTIFICATE_FOLDERS,
    ) -> None:
        self.subject = f"docker://{reference}"
        self.reference = reference
        self.patience = patience
        self._access = access
        self._connections = Connections(access, patience, certificate_folders)

    def call(
        self,
        method: str,
        target: str,
        scopes: Scopes,
        accepted: Collection[int],
        headers: Mapping[str, str] = _NO_HEADERS,
        body: Sequence[bytes] = (),
    ) -> Response:
        """The response, which has one of the `accepted` statuses; its body is unread.

        `target` is a path of the registry or a URL that it gave. Overload and broken connections are tried again
        (`Patience`), redirects of GET and HEAD followed. Raises `NotFound`, `AuthenticationError`, `TransportError`.
        """
        pause = self.patience.backoff
        for attempts_left in reversed(range(self.patience.attempts)):
            try:
                response = self._followed(method, target, scopes, headers, body)
                if response.status in accepted:
                    return response
                wait = self._wait(response, pause) if attempts_left else None
                if wait is None:
                    raise self._failure(response)
                response.close()
            except BrokenConnection:
                if not attempts_left or method not in ("GET", "HEAD"):
                    raise
                wait = pause
            time.sleep(wait)
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def stream(
        self,
        method: str,
        url: str,
        scopes: Scopes,
        accepted: Collection[int],
        headers: Mapping[str, str],
        body: Iterator[bytes],
    ) -> Response:
        """Like `call`, but with a body that can be sent only once; what `body` raises comes through."""
        url = joined(str(self.origin), url)
        response = self._connections.request(
            method, url, {**headers, **self._authorization(url, scopes)}, body
        )
        if response.status not in accepted:
            raise self._failure(response)
        return response

    def resolve(self, base: str, location: str) -> str:
        """The URL that a ``Location`` means. Raises `TransportError` where it would leave TLS."""
        if not location:
            raise TransportError(self.subject, "the registry redirects, but does not say where to")
        url = joined(joined(str(self.origin), base), location)
        if self.origin.scheme == "https" and Origin.of(url).scheme != "https":
            problem = f"the registry sends us from TLS to plain HTTP, at {shown(url)}"
            raise TransportError(self.subject, problem, "its proxy may lack X-Forwarded-Proto")
        return url

    def close(self) -> None:
        self._connections.close()

    @cached_property
    def origin(self) -> Origin:
        """Where the registry is: TLS, unless the user allowed plain HTTP, or it is on this machine and speaks that."""
        endpoint = self.reference.endpoint
        if self._access.plain_http:
            return Origin.of(f"http://{endpoint}")
        secure = Origin.of(f"https://{endpoint}")
        if is_loopback(secure.host):
            try:
                self._connections.request("GET", f"{secure}/v2/", {}).close()
            except (NotTls, BrokenConnection):
                return Origin.of(f"http://{endpoint}")
        return secure

    @cached_property
    def _authenticator(self) -> Authenticator:
        return Authenticator(
            self.origin,
            self.reference,
            lambda: find_credentials(self.reference, self._access.auth_file, os.environ),
            self._connections,
            self._access.plain_http,
        )

    def _authorization(self, url: str, scopes: Scopes) -> dict[str, str]:
        header = self._authenticator.header(scopes) if Origin.of(url) == self.origin else None
        return {"Authorization": header} if header else {}

    def _followed(
        self, method: str, target: str, scopes: Scopes, headers: Mapping[str, str], body: Sequence[bytes]
    ) -> Response:
        url = joined(str(self.origin), target)
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._sent(method, url, scopes, headers, body)
            if response.status not in _REDIRECTS or method not in ("GET", "HEAD"):
                return response
            response.close()
            url = self.resolve(url, response.header("Location"))
        raise TransportError(self.subject, f"the registry redirects more than {_MOST_REDIRECTS} times")

    def _sent(
        self, method: str, url: str, scopes: Scopes, headers: Mapping[str, str], body: Sequence[bytes]
    ) -> Response:
        authorization = self._authorization(url, scopes)
        response = self._connections.request(method, url, {**headers, **authorization}, body)
        if response.status != HTTPStatus.UNAUTHORIZED or Origin.of(url) != self.origin:
            return response
        response.close()
        header = self._authenticator.answer(response.headers("WWW-Authenticate"), scopes)
        response = self._connections.request(method, url, {**headers, "Authorization": header}, body)
        if response.status == HTTPStatus.UNAUTHORIZED:
            response.close()
            raise self._authenticator.refused()
        return response

    def _wait(self, response: Response, usual: float) -> float | None:
        """Seconds until the next attempt; None where another one makes no sense, or would come too soon."""
        if response.status not in _TRANSIENT:
            return None
        asked = _retry_after(response.header("Retry-After"))
        if asked is None:
            return usual
        return asked if asked <= self.patience.longest_wait else None

    def _failure(self, response: Response) -> DeadweightError:
        status = response.status
        detail = self._detail(response)
        login = f"run `docker login {self.reference.registry}` with an account that may do this"
        if status == HTTPStatus.UNAUTHORIZED:
            return self._authenticator.refused()
        if status == HTTPStatus.FORBIDDEN:
            return AuthenticationError(self.subject, f"access is denied{detail}", login)
        if status == HTTPStatus.NOT_FOUND:
            return NotFound(self.subject, f"the registry does not have it{detail}", "check the name")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = _retry_after(response.header("Retry-After"))
            when = f"in {asked:.0f} s" if asked else "later"
            remedy = f"try again {when}, or run `docker login {self.reference.registry}` for a higher limit"
            return TransportError(self.subject, f"too many requests{detail}", remedy)
        whose = Origin.of(response.url)
        who = "the registry" if whose == self.origin else str(whose)
        remedy = "try again later" if status in _TRANSIENT else ""
        return TransportError(self.subject, f"{who} answers with status {status}{detail}", remedy)

    def _detail(self, response: Response) -> str:
        """What the registry says about the error (distribution-spec, "Error Codes"), fit for one line."""
        with closing(response):
            try:
                value = strict_json.loads(response.read_all(_MAX_ERROR), "")
                errors = fields.objects(value, "errors", "", 100)
                texts = [fields.text(errors[0], name, "") for name in ("code", "message")] if errors else []
            except (TransportError, LimitExceeded, InvalidDocument):
                return ""  # many servers and proxies answer with a page of HTML
        text = self._authenticator.without_secrets(": ".join(filter(None, texts)))
        line = "".join(character for character in text if character.isprintable())[:200]
        return f" ({line})" if line else ""


def _retry_after(text: str) -> float | None:
    """The seconds that a ``Retry-After`` asks for (RFC 9110, section 10.2.3); None for none."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
