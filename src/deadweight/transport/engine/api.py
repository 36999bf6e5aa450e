"""Requests to a Docker engine, over its socket or by TCP."""

from __future__ import annotations

import http
import http.client
import json
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote, urlsplit

from deadweight._version import __version__
from deadweight.errors import (
    InvalidDocument,
    InvalidReference,
    LimitExceeded,
    NotFound,
    TransportError,
    Unsupported,
)
from deadweight.oci import fields, strict_json
from deadweight.transport.base import Access
from deadweight.transport.registry.reference import parse_reference

_NEWEST = (1, 51)
"""The newest version of the API that this module was written for."""
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 600.0
"""For the next bytes: an engine is silent while it packs or unpacks a layer."""
_MAX_MESSAGE = 64 << 10
_BLOCK = 1 << 20
_PORTS = {"http": 2375, "https": 2376}
_REMEDY = "start it, or name another with DOCKER_HOST"

Body = BinaryIO | bytes | Iterator[bytes] | None
"""What is sent: an archive in a file or in pieces, or JSON."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine listens: a socket's path, or host and port (with TLS where there is a context)."""

    text: str
    path: str = ""
    host: str = ""
    port: int = 0
    context: ssl.SSLContext | None = None


class Refused(TransportError):
    """What an engine does not do; `message` is its own word."""

    def __init__(self, address: str, status: int, message: str) -> None:
        super().__init__(address, f"the engine answers with status {status}: {message}")
        self.message = message


class Answer:
    """A response of the engine, its body unread. A context manager."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._socket = connection.sock
        self._response = connection.getresponse()
        self.status = self._response.status

    @property
    def socket(self) -> socket.socket:
        """The connection: what is written to it now is for the program that answers (attach, exec)."""
        return self._socket

    def header(self, name: str) -> str:
        """The header's value, empty where there is none."""
        return self._response.getheader(name) or ""

    def read(self, most: int) -> bytes:
        """The next bytes; none at the end. Raises `TransportError`."""
        try:
            data = self._response.read(most)
            if not data and self._response.length:
                raise http.client.IncompleteRead(b"", self._response.length)
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(self._connection.address, error) from None
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()  # it holds the socket as well
        self._connection.close()


class Engine:
    """An engine that answered. `connect` limits the seconds for a connection, `read` those for the next bytes."""

    def __init__(
        self, address: Address, connect: float = _CONNECT_SECONDS, read: float = _READ_SECONDS
    ) -> None:
        self.address = address
        self._connect = connect
        self._read = read
        self._prefix = ""
        with self.request("GET", "/_ping") as answer:
            self._prefix = _prefix(answer.header("Api-Version"))
            self.is_podman = bool(answer.header("Libpod-Api-Version"))

    def inspect(self, name: str) -> dict[str, Any]:
        """What the engine knows of an image. Raises `NotFound`."""
        return self.call("GET", f"/images/{quote(name, safe='/:@')}/json")

    def call(self, method: str, path: str, value: object = None) -> dict[str, Any]:
        """The object that is answered to `value`; empty where nothing is. Raises as `request` does."""
        raw = self._answered(method, path, value)
        return strict_json.loads(raw, f"what the engine says to {path}") if raw.strip() else {}

    def items(self, path: str) -> list[Any]:
        """The array that is answered to a GET. Raises as `request` does."""
        return strict_json.loads_array(self._answered("GET", path), f"what the engine says to {path}")

    def _answered(self, method: str, path: str, value: object = None) -> bytes:
        body = json.dumps(value).encode() if value is not None else None
        with self.request(method, path, body) as answer:
            return answer.read(strict_json.MAX_DOCUMENT + 1)

    def request(self, method: str, path: str, body: Body = None, *, endless: bool = False) -> Answer:
        """The answer, which has a status of success; an `endless` one may take any time.

        Raises `NotFound`, `Refused` for all other refusals, and `TransportError` where it cannot be reached.
        """
        answer = self._send(method, f"{self._prefix}{path}", body, None if endless else self._read)
        if http.HTTPStatus.OK <= answer.status < http.HTTPStatus.BAD_REQUEST:
            return answer
        with answer:
            message = _message(answer.read(_MAX_MESSAGE))
        if answer.status == http.HTTPStatus.NOT_FOUND:
            raise NotFound(self.address.text, message or "the engine does not have it")
        raise Refused(self.address.text, answer.status, message)

    def _send(self, method: str, path: str, body: Body, read: float | None) -> Answer:
        connection = _Connection(self.address, self._connect, read)
        headers = {
            "Host": self.address.host or "docker",
            "Connection": "close",
            "User-Agent": f"deadweight/{__version__}",
        }
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers["Content-Type"] = "application/x-tar"
            if not isinstance(body, Iterator):  # else it goes in chunks
                headers["Content-Length"] = str(os.fstat(body.fileno()).st_size)
        try:
            # An engine that has enough of a body may end the connection, and still say why.
            with suppress(*(() if body is None else (BrokenPipeError, ConnectionResetError))):
                connection.request(method, path, body, headers)
            return Answer(connection)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _unreachable(self.address, error) from None


def find_engine(
    access: Access,
    environment: Mapping[str, str],
    connect: float = _CONNECT_SECONDS,
    read: float = _READ_SECONDS,
) -> Engine:
    """The engine that `access` or DOCKER_HOST names, else the first one that answers at its usual socket.

    Raises `TransportError` where none does.
    """
    named = access.engine or environment.get("DOCKER_HOST", "")
    if named:
        return Engine(parse_address(named, environment), connect, read)
    return first_answering(usual_sockets(environment), connect, read)


def first_answering(
    sockets: Sequence[Path], connect: float = _CONNECT_SECONDS, read: float = _READ_SECONDS
) -> Engine:
    """The engine at the first of `sockets` that answers. Raises `TransportError`, for the first one that is there."""
    refusal: TransportError | None = None
    for path in sockets:
        if not os.access(path, os.F_OK):
            continue
        try:
            return Engine(Address(f"unix://{path}", path=str(path)), connect, read)
        except TransportError as error:
            refusal = refusal or error
    raise refusal or TransportError("docker-daemon", "no Docker engine runs here", _REMEDY)


def usual_sockets(environment: Mapping[str, str]) -> list[Path]:
    """Where Docker listens, as a service and without root, then podman."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    own = [Path(runtime) / "docker.sock", Path(runtime) / "podman/podman.sock"] if runtime else []
    return [Path("/var/run/docker.sock"), *own, Path("/run/podman/podman.sock")]


def parse_address(text: str, environment: Mapping[str, str]) -> Address:
    """The address in DOCKER_HOST's form. Raises `InvalidReference`, `Unsupported`, `TransportError` (certificates)."""
    scheme, _, rest = text.partition("://")
    if scheme == "unix" and rest:
        return Address(text, path=rest)
    if scheme not in ("tcp", "http", "https"):
        if scheme in ("ssh", "npipe", "fd"):
            raise Unsupported(
                text, f"deadweight cannot reach an engine by {scheme}", "forward its socket instead"
            )
        raise InvalidReference(text, "is no engine's address", "write unix://PATH or tcp://HOST:PORT")
    secure = scheme == "https" or bool(environment.get("DOCKER_TLS_VERIFY"))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or _PORTS["https" if secure else "http"]
    except ValueError:
        host, port = "", 0
    if not host:
        raise InvalidReference(text, "is no engine's address", "write tcp://HOST:PORT")
    return Address(text, host=host, port=port, context=_tls(environment) if secure else None)


def check_name(name: str) -> str:
    """`name` if it is an image ID or a reference. Raises `InvalidReference`."""
    if not _IMAGE_ID.fullmatch(name):
        parse_reference(name)
    return name


def one_line(text: str) -> str:
    """`text` of the engine's, fit for a message."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())[:300]


def _tls(environment: Mapping[str, str]) -> ssl.SSLContext:
    folder = Path(environment.get("DOCKER_CERT_PATH") or Path(environment.get("HOME", "/")) / ".docker")
    try:
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        if (folder / "cert.pem").exists():
            context.load_cert_chain(folder / "cert.pem", folder / "key.pem", password="")
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror
        raise TransportError(
            str(folder), f"ca.pem, cert.pem or key.pem cannot be used: {reason}", "check DOCKER_CERT_PATH"
        ) from None
    return context


def _prefix(version: str) -> str:
    match = _VERSION.fullmatch(version)
    if not match:
        return ""
    major, minor = min(_NEWEST, (int(match[1]), int(match[2])))
    return f"/v{major}.{minor}"


def _message(raw: bytes) -> str:
    try:
        text = fields.text(strict_json.loads(raw, ""), "message", "")
    except (InvalidDocument, LimitExceeded):
        text = raw.decode(errors="replace")
    return one_line(text)


def _unreachable(address: Address, error: Exception) -> TransportError:
    if isinstance(error, PermissionError):
        return TransportError(
            address.text, "this user may not use the engine", "join the group docker, or be root"
        )
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", None) or error.reason
        return TransportError(address.text, f"the TLS connection failed: {reason}", "check DOCKER_CERT_PATH")
    if isinstance(error, TimeoutError):
        return TransportError(address.text, "the engine gives no answer", "is it busy? try again later")
    if isinstance(error, (ConnectionRefusedError, FileNotFoundError, socket.gaierror)):
        return TransportError(address.text, "no engine answers there", _REMEDY)
    return TransportError(address.text, "what answers is no engine, or the connection broke", _REMEDY)


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket or TCP, with a time limit of its own for the connection."""

    def __init__(self, address: Address, connect: float, read: float | None) -> None:
        super().__init__(address.host or "localhost", address.port or None, timeout=read, blocksize=_BLOCK)
        self.address = address
        self._connect_seconds = connect

    def connect(self) -> None:
        address = self.address
        if address.path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self._connect_seconds)
            self.sock.connect(address.path)
        else:
            self.sock = socket.create_connection((address.host, address.port), self._connect_seconds)
            if address.context:
                self.sock = address.context.wrap_socket(self.sock, server_hostname=address.host)
        self.sock.settimeout(self.timeout)
