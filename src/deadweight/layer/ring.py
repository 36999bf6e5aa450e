"""Rings of buffers between two threads, and digests that are computed by whichever of them would wait.

A thread for digests alone would be one more than a small machine has cores for. So each thread that has to wait for the
other digests meanwhile what has not been digested yet.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TypeVar, cast

_T = TypeVar("_T")


class SharedDigest:
    """A digest of pieces, computed piece by piece on any thread, in the order in which they were added."""

    def __init__(self, hasher: hashlib._Hash) -> None:
        self._hasher = hasher
        self._pieces: deque[tuple[memoryview, SimpleQueue[None]]] = deque()
        self._busy = Lock()

    def add(self, piece: memoryview, done: SimpleQueue[None]) -> None:
        """`piece` comes next; `done` gets an item when it has been digested."""
        self._pieces.append((piece, done))

    def step(self) -> bool:
        """Digests the next piece; False where there is none, or another thread is at it."""
        if not self._busy.acquire(blocking=False):
            return False
        try:
            return self._digest_next()
        finally:
            self._busy.release()

    def finish(self) -> None:
        """Digests what is left, when nobody adds to it any more."""
        with self._busy:
            while self._digest_next():
                pass

    def _digest_next(self) -> bool:
        if not self._pieces:
            return False
        piece, done = self._pieces.popleft()
        self._hasher.update(piece)
        done.put(None)
        return True


def take(queue: SimpleQueue[_T], digests: Sequence[SharedDigest]) -> _T:
    """The next item of `queue`; until it comes, works on `digests`.

    It blocks only when nothing is left to digest but what the other thread is digesting, and so is not waiting itself.
    """
    while True:
        try:
            return queue.get_nowait()
        except Empty:
            if not any(digest.step() for digest in digests):
                return queue.get()


class Ring:
    """Buffers of which each is filled again when what was in it has been used and digested."""

    def __init__(
        self, count: int, size: int, digest: SharedDigest | None, waiting: Sequence[SharedDigest]
    ) -> None:
        """`digest` is that of all that goes through; what to do while waiting is `waiting`."""
        self._digest = digest
        self._waiting = waiting
        self._used: SimpleQueue[mmap | bytearray] = SimpleQueue()
        self._digested: SimpleQueue[None] = SimpleQueue()
        for _ in range(count):
            # Unlike the heap, it goes back to the system at once.
            self._used.put(mmap(-1, size, MAP_PRIVATE | MAP_ANONYMOUS))
            self._digested.put(None)

    def empty(self) -> memoryview:
        """A buffer to be filled; one without room after `close`."""
        take(self._digested, self._waiting)
        return memoryview(take(self._used, self._waiting))

    def filled(self, piece: memoryview) -> None:
        """`piece`, the beginning of a buffer, holds what comes next."""
        if self._digest is None:
            self._digested.put(None)
        else:
            self._digest.add(piece, self._digested)

    def used(self, piece: memoryview) -> None:
        """Nobody but the digest needs `piece` any more."""
        self._used.put(cast("mmap", piece.obj))

    def close(self) -> None:
        """Nobody must wait for a buffer any longer."""
        self._used.put(bytearray())
        self._digested.put(None)
