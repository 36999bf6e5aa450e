"""Connects to ports of the network that it runs in, and hands the connections on.

Run as ``python dial.py FD``, where FD is a socket of packets: each one that comes is a JSON object with ``port`` and
``seconds``; what goes back is a descriptor of the connection, or why there is none.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Sequence

LOOPBACK = ("127.0.0.1", "::1")
MAX_PACKET = 4096


def connect(port: int, seconds: float, addresses: Sequence[str] = LOOPBACK) -> socket.socket:
    """A connection to `port` at the first of `addresses` that takes it. Raises OSError: the first one's, where all refuse."""
    problem: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), seconds)
        except OSError as error:
            problem = problem or error
    assert problem is not None  # noqa: S101
    raise problem


def main() -> None:
    """Serves until the other side has gone."""
    with socket.socket(fileno=int(sys.argv[1])) as caller:
        while packet := caller.recv(MAX_PACKET):
            order = json.loads(packet)
            try:
                with connect(order["port"], order["seconds"]) as connection:
                    socket.send_fds(caller, [b"."], [connection.fileno()])
            except OSError as error:
                caller.send((error.strerror or str(error)).encode()[:MAX_PACKET])


if __name__ == "__main__":
    main()
