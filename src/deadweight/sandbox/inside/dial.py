"""Connects to ports of the network that it runs in, and hands the connections on.

Run as ``python dial.py FD``, where FD is a socket of packets: each one that comes is a JSON object with ``port`` and
``seconds``; what goes back is a descriptor of the connection, or why there is none.
"""

from __future__ import annotations

import json
import socket
import sys

LOOPBACK = ("127.0.0.1", "::1")
MAX_PACKET = 4096


def connect(port: int, seconds: float) -> socket.socket:
    """A connection to `port` of the loopback device. Raises OSError: the first address's, where both refuse."""
    problem: OSError | None = None
    for address in LOOPBACK:
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
