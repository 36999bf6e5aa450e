"""A registry that misbehaves in one chosen way and behaves in all others."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Event

from services.images import SampleImage
from services.web import Answer, Request, Web, respond, serving

SLOWLY = 0.05
"""Seconds between the bytes of a trickle."""


@dataclass(slots=True)
class HostileRegistry:
    """Serves `image` as ``name:latest``. `tricks` maps the end of a path to what answers there instead."""

    web: Web
    image: SampleImage
    tricks: dict[str, Answer] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.web.host

    @property
    def location(self) -> str:
        return f"//{self.host}/name:latest"

    def answer(self, request: Request, handler: BaseHTTPRequestHandler) -> None:
        for end, trick in self.tricks.items():
            if request.path.endswith(end):
                trick(request, handler)
                return
        honest(self.image, request, handler)


@contextmanager
def hostile_registry(image: SampleImage, tls: ssl.SSLContext | None = None) -> Iterator[HostileRegistry]:
    """A registry whose `tricks` are still to be set."""
    registry: list[HostileRegistry] = []
    with serving(lambda request, handler: registry[0].answer(request, handler), tls) as web:
        registry.append(HostileRegistry(web, image))
        yield registry[0]


def honest(image: SampleImage, request: Request, handler: BaseHTTPRequestHandler) -> None:
    """What a registry should answer; ranges of blobs included."""
    name = request.path.rpartition("/")[2]
    if "/manifests/" in request.path and name in ("latest", image.manifest.digest):
        respond(handler, 200, image.manifest.data, {"Content-Type": image.manifest.media_type})
        return
    for blob in image.blobs:
        if request.path.endswith(f"/blobs/{blob.digest}"):
            start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
            total = len(blob.data)
            ranged = {"Content-Range": f"bytes {start}-{total - 1}/{total}"} if start else {}
            respond(handler, 206 if start else 200, blob.data[start:], ranged)
            return
    respond(handler, 404, b'{"errors":[{"code":"UNKNOWN","message":"not here"}]}')


def redirect(url: str, status: int = 307) -> Answer:
    return lambda request, handler: respond(handler, status, b"", {"Location": url})


def refuse(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
    return lambda request, handler: respond(handler, status, body, headers)


def challenge(text: str) -> Answer:
    return refuse(401, {"WWW-Authenticate": text})


def send(data: bytes, headers: dict[str, str] | None = None) -> Answer:
    return lambda request, handler: respond(handler, 200, data, headers)


def endless(request: Request, handler: BaseHTTPRequestHandler, status: int = 200) -> None:
    """A body in chunks, without end."""
    handler.send_response(status)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    piece = b" " * 65536
    while True:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))


def trickle_head(request: Request, handler: BaseHTTPRequestHandler) -> None:
    """A head that never ends, byte by byte."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(SLOWLY)


def endless_continue(request: Request, handler: BaseHTTPRequestHandler) -> None:
    """Interim responses, without end."""
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(SLOWLY / 10)


def trickle_body(request: Request, handler: BaseHTTPRequestHandler) -> None:
    """A body of which a byte comes now and then."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"1\r\nx\r\n")
        time.sleep(SLOWLY)


def silence(request: Request, handler: BaseHTTPRequestHandler) -> None:
    """No answer, though the connection stays."""
    with contextlib.suppress(OSError):
        handler.connection.recv(1)


def stall(data: bytes, size: int, stalled: Event) -> Answer:
    """A body of `size` bytes of which `data` comes, and no more; `stalled` is set then."""

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        handler.wfile.write(data)
        handler.wfile.flush()
        stalled.set()
        silence(request, handler)

    return answer


def cut_off(image: SampleImage, after: int, *, times: int) -> Answer:
    """Resets the connection after so many bytes of a blob, the first `times` that it is asked for."""
    left = [times]

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        if not left[0]:
            honest(image, request, handler)
            return
        left[0] -= 1
        blob = next(blob for blob in image.blobs if request.path.endswith(blob.digest))
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        handler.send_response(206 if start else 200)
        total = len(blob.data)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        handler.send_header("Content-Length", str(total - start))
        handler.end_headers()
        handler.wfile.write(blob.data[start : start + after])
        handler.wfile.flush()
        reset(handler)

    return answer


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Ends the connection with a TCP reset once what was written has left."""
    time.sleep(SLOWLY)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
