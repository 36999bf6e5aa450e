"""HTTP over kept connections: time limits, proxies, and failures told as one line with a remedy."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from threading import Event, Timer
from time import monotonic

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InsecureRequestWarning,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as AnyTimeoutError

from deadweight._version import __version__
from deadweight.errors import LimitExceeded, TransportError
from deadweight.transport.base import Access
from deadweight.transport.registry.origin import Origin
from deadweight.transport.registry.proxy import proxy_for
from deadweight.transport.registry.tls import CERTIFICATE_FOLDERS, tls_context

PIECE = 64 << 10
"""Bytes sent or read at a time: small, so that a time limit for one piece suits slow lines too."""

_KEPT = 8
"""Connections to one host that are kept for further requests."""

_NOT_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
    }
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a registry and how often to try again. Times are in seconds."""

    connect: float = 10.0
    """For a connection with its handshake, and for sending one piece."""
    read: float = 60.0
    """For the next bytes, and for the whole head of a response."""
    upload: float = 900.0
    """For the answer to an upload, before which a registry may move the whole blob within its storage."""
    document: float = 120.0
    """For the whole of a manifest, a token or another small answer."""
    minimum_rate: int = 512
    """Bytes a second, over `read` seconds, under which a download counts as broken."""
    attempts: int = 4
    backoff: float = 0.5
    """Before the second attempt; doubled before each further one."""
    longest_wait: float = 30.0
    """The longest Retry-After that is heeded; a registry that asks for more gets no further attempt."""


USUAL = Patience()


class BrokenConnection(TransportError):
    """A connection that ended too early; another attempt may do better."""


class NotTls(TransportError):
    """A server that answers a TLS handshake with something else."""


class Response:
    """A response whose body was not read yet. `close` it, whatever happens."""

    def __init__(self, raw: urllib3.BaseHTTPResponse, url: str, patience: Patience) -> None:
        self.url = url
        self.status = raw.status
        self._raw = raw
        self._patience = patience

    def header(self, name: str) -> str:
        """The header's value, empty where there is none."""
        return self._raw.headers.get(name, "")

    def headers(self, name: str) -> list[str]:
        """The values of a header that may come several times."""
        return self._raw.headers.getlist(name)

    @property
    def length(self) -> int | None:
        """The body's bytes, as the server states them."""
        text = self.header("Content-Length")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None

    def read_some(self, most: int) -> bytes:
        """The next bytes, as they arrive; none at the end. Raises `BrokenConnection`."""
        try:
            return self._raw.read1(most, decode_content=False) or b""
        except AnyTimeoutError:
            problem = f"sent nothing for {self._patience.read:g} s"
            raise BrokenConnection(str(Origin.of(self.url)), problem, "try again later") from None
        except HTTPError:
            raise BrokenConnection(str(Origin.of(self.url)), "broke the connection", "try again") from None

    def read_all(self, most: int) -> bytes:
        """The whole body. Raises `LimitExceeded` over `most` bytes, `TransportError` where it takes too long."""
        subject = str(Origin.of(self.url))
        deadline = monotonic() + self._patience.document
        pieces: list[bytes] = []
        size = self.length or 0
        if size <= most:
            size = 0
            while size <= most and (piece := self.read_some(PIECE)):
                size += len(piece)
                pieces.append(piece)
                if monotonic() > deadline:
                    raise TransportError(
                        subject, f"took longer than {self._patience.document:g} s for one answer"
                    )
        self.close()
        if size > most:
            raise LimitExceeded(subject, f"sent more than {most} bytes where a small document was expected")
        return b"".join(pieces)

    def close(self) -> None:
        """Gives the connection back where the body was read to its end, else closes it, whoever may be reading from it."""
        if self._raw.closed:
            self._raw.release_conn()
            return
        # A thread that is blocked in reading holds a lock that closing needs.
        with suppress(OSError, ValueError, RuntimeError):  # the connection ended by itself
            self._raw.shutdown()
        self._raw.close()


class Connections:
    """Requests to any number of hosts. May be used from several threads."""

    def __init__(
        self, access: Access, patience: Patience, certificate_folders: Sequence[Path] = CERTIFICATE_FOLDERS
    ) -> None:
        self.patience = patience
        self._access = access
        self._folders = certificate_folders
        self._managers: dict[Origin, urllib3.PoolManager] = {}

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: Iterator[bytes] | Sequence[bytes] = ()
    ) -> Response:
        """The response, whatever its status; redirects are not followed.

        A body without a Content-Length goes out chunked. Raises `TransportError`: `BrokenConnection` or `NotTls`
        where it is that.
        """
        origin = Origin.of(url)
        fields = {"User-Agent": f"deadweight/{__version__}", "Accept-Encoding": "identity", **headers}
        if not body and method in ("POST", "PUT", "PATCH"):
            fields["Content-Length"] = "0"
        patience = self.patience
        read = patience.upload if method in ("PATCH", "PUT") else patience.read
        try:
            raw = self._manager(origin).request(
                method,
                url,
                headers=fields,
                body=body or None,
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(connect=patience.connect, read=read),
            )
        except HTTPError as error:
            raise _explained(error, origin, patience) from error
        return Response(raw, url, patience)

    def close(self) -> None:
        """Closes the connections that are not in use."""
        for manager in self._managers.values():
            manager.clear()
        self._managers.clear()

    def _manager(self, origin: Origin) -> urllib3.PoolManager:
        manager = self._managers.get(origin)
        if manager is None:
            manager = self._managers[origin] = self._new_manager(origin)
        return manager

    def _new_manager(self, origin: Origin) -> urllib3.PoolManager:
        context = tls_context(origin, self._access, self._folders) if origin.scheme == "https" else None
        if self._access.insecure_tls:
            urllib3.disable_warnings(InsecureRequestWarning)
        proxy = proxy_for(origin, os.environ)
        if proxy is None:
            manager = urllib3.PoolManager(maxsize=_KEPT, ssl_context=context)
        else:
            manager = urllib3.ProxyManager(
                proxy.url, maxsize=_KEPT, ssl_context=context, proxy_headers=proxy.headers
            )
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


def _explained(error: HTTPError, origin: Origin, patience: Patience) -> TransportError:
    subject = str(origin)
    match error:
        case NameResolutionError():
            return TransportError(subject, "no such host", "check the name and the network")
        case NewConnectionError():
            cause = error.__cause__
            reason = cause.strerror if isinstance(cause, OSError) else None
            return TransportError(
                subject, f"cannot be reached: {(reason or 'no connection').lower()}", "check host and port"
            )
        case ConnectTimeoutError():
            return TransportError(subject, f"no connection in {patience.connect:g} s", "check the network")
        case AnyTimeoutError():
            return TransportError(subject, "gave no answer in time", "try again later")
        case SSLError():
            return _tls_error(error, origin)
        case ProxyError():
            return TransportError(subject, "the proxy failed", "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY")
        case ProtocolError():
            return BrokenConnection(subject, "broke the connection, or does not speak HTTP", "try again")
    return TransportError(subject, f"failed with {type(error).__name__}")


def _tls_error(error: SSLError, origin: Origin) -> TransportError:
    subject, inner = str(origin), error.args[0] if error.args else None
    if isinstance(inner, ssl.SSLCertVerificationError):
        remedy = f"name its CA with --ca-file or in /etc/docker/certs.d/{origin.authority}/ca.crt"
        return TransportError(subject, f"its certificate is not trusted: {inner.verify_message}", remedy)
    reason = getattr(inner, "reason", None) or ""
    if reason in _NOT_TLS or isinstance(inner, ssl.SSLEOFError):
        return NotTls(subject, "does not speak TLS", "if it is meant to be plain HTTP, use --plain-http")
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason or "BAD_CERTIFICATE" in reason:
        remedy = f"put client.cert and client.key into /etc/docker/certs.d/{origin.authority}"
        return TransportError(subject, "does not accept us without a client certificate", remedy)
    return TransportError(
        subject, f"the TLS connection failed: {reason.replace('_', ' ').lower() or 'unknown'}"
    )


@contextmanager
def _within(sock: socket.socket, seconds: float | None) -> Iterator[None]:
    """Ends the connection when the block takes longer, though each single read stays within its own limit."""
    expired = Event()

    def give_up() -> None:
        expired.set()
        # Not SSLSocket.shutdown, which would pull the TLS state from under the reading thread. It may be closed by now.
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = Timer(USUAL.read if seconds is None else seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException):
        if not expired.is_set():
            raise
    finally:
        timer.cancel()
    if expired.is_set():
        raise TimeoutError("the head of the response took too long")


class _Connection(HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        with _within(self.sock, self.timeout):
            return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        with _within(self.sock, self.timeout):
            return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
