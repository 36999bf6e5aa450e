"""What a program writes, read as it comes and kept within bounds."""

from __future__ import annotations

import os
import threading
from typing import IO

from deadweight.probe.observation import MAX_RECORDED

MAX_LAST = 4096
"""The bytes that are kept of what was written last."""
_LINGER = 0.5
"""Seconds to wait for the end of an output that others than its program may hold."""


class Capture:
    """Reads `stream` to its end on a thread of its own, so that its writer never waits; closes it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._first = bytearray()
        self._last = b""
        self.truncated = False
        """Whether there was more than is kept."""
        self._descriptor = os.dup(stream.fileno()) if stream is not None else os.open(os.devnull, os.O_RDONLY)
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Waits for its end, which has come unless a process that its program left behind holds it open."""
        self._thread.join(_LINGER)

    @property
    def first(self) -> bytes:
        """What came first, at most `MAX_RECORDED` bytes."""
        return bytes(self._first)

    @property
    def last(self) -> bytes:
        """What came last, at most `MAX_LAST` bytes."""
        return self._last

    def _run(self) -> None:
        try:
            while piece := os.read(self._descriptor, 1 << 16):
                room = MAX_RECORDED - len(self._first)
                self._first += piece[:room]
                self.truncated = self.truncated or len(piece) > room
                self._last = (self._last + piece)[-MAX_LAST:]
        finally:
            os.close(self._descriptor)
