"""A connection, and what comes first on it without being asked."""

from __future__ import annotations

import socket
import time

from deadweight.probe.observation import TcpAnswer

FIRST_SECONDS = 1.0
"""The most seconds that are waited for a greeting; most servers send none."""
MORE_SECONDS = 0.1
"""Seconds without more of it after which a greeting is taken for whole."""
MAX_FIRST = 1 << 16
"""The most bytes of a greeting that are kept."""


def greeting(connection: socket.socket, seconds: float) -> TcpAnswer:
    """What comes first on `connection`, which is closed, within `FIRST_SECONDS` and `seconds`."""
    first = b""
    deadline = time.monotonic() + min(FIRST_SECONDS, seconds)
    with connection:
        while len(first) < MAX_FIRST and (left := deadline - time.monotonic()) > 0:
            connection.settimeout(min(left, MORE_SECONDS) if first else left)
            try:
                piece = connection.recv(MAX_FIRST - len(first))
            except OSError:  # no more came in time, or the other side broke it off
                break
            if not piece:
                break
            first += piece
    return TcpAnswer(accepted=True, first=first, at=int(time.time()))
