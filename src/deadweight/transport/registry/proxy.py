"""The proxy on the way to a host, by the variables that curl, Go and Python heed."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from deadweight.errors import TransportError
from deadweight.transport.registry.origin import Origin, is_loopback


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, and the headers for it alone."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def proxy_for(origin: Origin, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name for `origin`; never one for loopback.

    Raises `TransportError` for a value that is no address of an HTTP proxy.
    """
    # Sorted, lower case comes last and wins.
    values = {name.lower(): value for name, value in sorted(environment.items())}
    proxy = values.get(f"{origin.scheme}_proxy") or values.get("all_proxy")
    exceptions = values.get("no_proxy", "").split(",")
    if not proxy or is_loopback(origin.host) or any(_covers(text.strip(), origin) for text in exceptions):
        return None
    return _parse(proxy if "://" in proxy else f"http://{proxy}")


def _parse(text: str) -> Proxy:
    user, at, address = text.partition("://")[2].rpartition("@")
    try:
        parts = urlsplit(f"{text.partition('://')[0]}://{address}")
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        # The value is not shown: it may hold a password.
        raise TransportError("HTTP_PROXY or HTTPS_PROXY", "is not the address of an HTTP proxy")
    credentials = base64.b64encode(unquote(user).encode()).decode()
    return Proxy(
        f"{parts.scheme}://{parts.netloc}", {"Proxy-Authorization": f"Basic {credentials}"} if at else {}
    )


def _covers(exception: str, origin: Origin) -> bool:
    """Whether an entry of NO_PROXY means `origin`: ``*``, HOST[:PORT] with its subdomains, an address, a network."""
    name, _, port = (
        exception.lower().rpartition(":") if exception.count(":") == 1 else (exception.lower(), "", "")
    )
    if not name or (port and port != str(origin.port)):
        return False
    try:
        return ipaddress.ip_address(origin.host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        domain = name.lstrip("*.")
        return name == "*" or (bool(domain) and f".{origin.host}".endswith(f".{domain}"))
