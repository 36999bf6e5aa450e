"""What strace writes about a sandbox, handed on as it comes."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from deadweight.errors import DeadweightError

Sink = Callable[[bytes], object]
"""Takes a log in pieces; a file's `write` is one. It may raise `OSError` or `DeadweightError`: that ends the run."""
_PIECE = 1 << 16
_PIPE = 1 << 20
"""Bytes that may wait; strace waits once there are more."""
_PAUSE = 0.005
"""Seconds between two looks: strace writes line by line, and to wake up for each costs both sides more than the line."""


class Log:
    """A pipe to `sink`. It takes `most` bytes; then, or where `sink` fails, it calls `end`, and takes no more of it."""

    def __init__(self, sink: Sink, most: int) -> None:
        self._sink = sink
        self._most = most
        self._end: Callable[[], None] = lambda: None
        self._full = False
        self._error: OSError | DeadweightError | None = None
        self._read, self.descriptor = os.pipe()
        with suppress(OSError):  # a smaller one does it, too
            fcntl.fcntl(self._read, fcntl.F_SETPIPE_SZ, _PIPE)
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self, end: Callable[[], None]) -> None:
        """The program that writes has been started, and has its own copy of the descriptor."""
        self._close_end()
        self._end = end
        self._thread.start()

    def finish(self) -> str:
        """Waits for the end of the log; why the run was ended, empty where it was not. Raises what `sink` did."""
        if self._thread.ident is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return f"its trace took more than {self._most} bytes" if self._full else ""

    def close(self) -> None:
        """Lets go of it. The program must have ended."""
        self._close_end()
        if self._thread.ident is not None:
            self._thread.join()
        os.close(self._read)

    def _close_end(self) -> None:
        """From now on only the program can write."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _run(self) -> None:
        left = self._most
        while piece := os.read(self._read, _PIECE):
            left -= len(piece)
            if left < 0:
                self._full = True
                break
            try:
                self._sink(piece)
            except (OSError, DeadweightError) as error:
                self._error = error
                break
            if len(piece) < _PIECE:
                time.sleep(_PAUSE)
        else:
            return
        self._end()
        while os.read(self._read, _PIECE):  # until all who write are gone
            pass
