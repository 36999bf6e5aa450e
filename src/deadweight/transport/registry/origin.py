"""Whom a URL speaks with: credentials are for one origin and go to no other (RFC 6454)."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from deadweight.errors import TransportError

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Raises `TransportError` for what is no HTTP URL, or one with a user in it."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise TransportError(shown(url), "is not an HTTP address") from None
        if not parts.hostname or parts.username is not None:
            raise TransportError(shown(url), "is not an HTTP address with a host alone")
        return cls(parts.scheme, parts.hostname, port)

    @property
    def authority(self) -> str:
        """Host and port as in a URL, without the scheme's usual port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def joined(base: str, location: str) -> str:
    """`location` as seen from `base` (RFC 3986, section 5). Raises `TransportError` for what is no HTTP URL."""
    try:
        url = urljoin(base, location)
    except ValueError:
        raise TransportError(shown(location), "is not an HTTP address") from None
    Origin.of(url)
    return url


def is_loopback(host: str) -> bool:
    """Whether `host` (without a port) is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """`url` for messages, without a query, which may hold a signature, and without a user."""
    scheme, slashes, rest = url.partition("?")[0].partition("://")
    if not slashes:
        return repr(url[:100])
    host, slash, path = rest.partition("/")
    text = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    return text if text.isprintable() and len(text) < 300 else repr(text[:300])
