"""The streams of a program in a container, as `subprocess.Popen` has those of a process."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from contextlib import suppress
from typing import IO

from deadweight.errors import TransportError
from deadweight.transport.engine.api import Answer

Stream = int | IO[bytes] | None
"""None for our own, ``DEVNULL``, ``PIPE``, for standard error ``STDOUT``, or a descriptor or file."""
_HEADER = 8
_STDERR = 2
_BEGIN = 4096
_PIECE = 1 << 16


class Outputs:
    """Standard output and error: where they go, and the ends of pipes that are read."""

    def __init__(self, stdout: Stream, stderr: Stream) -> None:
        self._targets: list[int] = []
        self.begin = b""
        """What came first."""
        self.stdout = self._open(stdout, 1)
        self.stderr = self._open(stderr, 2)

    def _open(self, stream: Stream, own: int) -> IO[bytes] | None:
        """The end that is read, where there is one."""
        if stream == subprocess.PIPE:
            read, write = os.pipe()
            self._targets.append(write)
            return os.fdopen(read, "rb")
        if stream == subprocess.DEVNULL:
            target = os.open(os.devnull, os.O_WRONLY)
        elif stream == subprocess.STDOUT:
            target = os.dup(self._targets[0])
        else:
            number = own if stream is None else stream if isinstance(stream, int) else stream.fileno()
            target = os.dup(number)
        self._targets.append(target)
        return None

    def take(self, answer: Answer) -> None:
        """Hands on what `answer` holds, to its end (Docker Engine API, "Attach to a container", Stream format).

        Raises `TransportError` where it breaks off.
        """
        while header := answer.read(_HEADER):
            left = int.from_bytes(header[4:], "big")
            target = self._targets[1 if header[0] == _STDERR else 0]
            while left:
                piece = answer.read(min(left, _PIECE))
                if not piece:
                    raise TransportError("the engine", "broke off what a program wrote")
                left -= len(piece)
                self.begin += piece[: _BEGIN - len(self.begin)]
                _write(target, piece)

    def end(self) -> None:
        """Nothing more comes."""
        for target in self._targets:
            os.close(target)
        self._targets = []

    def close(self) -> None:
        """Nothing more is read."""
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _write(target: int, piece: bytes) -> None:
    """What nobody reads any more is lost, as with any pipe; the program has to be heard out all the same."""
    with suppress(OSError):
        while piece:
            piece = piece[os.write(target, piece) :]


def feed(source: int | IO[bytes], target: socket.socket) -> None:
    """Hands on what comes from `source` to its end, on a thread of its own that nobody waits for: it may be a terminal."""
    number = source if isinstance(source, int) else source.fileno()

    def copy() -> None:
        with suppress(OSError):
            while piece := os.read(number, _PIECE):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    threading.Thread(target=copy, name="feed", daemon=True).start()
