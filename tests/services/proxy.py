"""A forward proxy on loopback, which sends everything to one place, whatever host is asked for."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from services.web import Request, Web, serving


@contextmanager
def proxy_to(port: int) -> Iterator[Web]:
    """A proxy whose tunnels (CONNECT) all end at `port` of loopback."""

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        assert request.method == "CONNECT"
        with socket.create_connection(("127.0.0.1", port)) as target:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            _pump(handler.connection, target)
        handler.close_connection = True

    with serving(answer) as web:
        yield web


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Copies both ways until one side ends."""
    while True:
        for side in select.select([one, other], [], [])[0]:
            data = side.recv(65536)
            if not data:
                return
            (other if side is one else one).sendall(data)
