"""Progress of long work: a line on a terminal, nothing in a pipe."""

from __future__ import annotations

import os
import sys
import time

_EVERY = 0.1  # seconds between two updates


class TerminalProgress:
    """One line on standard error, rewritten; erased by `close`."""

    def __init__(self) -> None:
        self._task = ""
        self._total = 0
        self._shown = 0.0
        self._dirty = False

    def start(self, task: str, total: int) -> None:
        self._task, self._total = task, total

    def advance_to(self, done: int) -> None:
        now = time.monotonic()
        if now - self._shown < _EVERY:
            return
        self._shown = now
        percent = f" {100 * done // self._total:3d} %" if self._total else ""
        sys.stderr.write(f"\r\x1b[K{self._task}{percent}")
        sys.stderr.flush()
        self._dirty = True

    def close(self) -> None:
        """Erases the line."""
        if self._dirty:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._dirty = False


class SilentProgress:
    """Nothing to be seen: standard error is no terminal, or one that cannot erase."""

    def start(self, task: str, total: int) -> None: ...

    def advance_to(self, done: int) -> None: ...

    def close(self) -> None: ...


def open_progress() -> TerminalProgress | SilentProgress:
    """A progress line where somebody can see it."""
    rewritable = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return TerminalProgress() if rewritable else SilentProgress()
