"""A ring of buffers between the thread that inflates a layer and the one that scans it.

All bytes are digested as well. No third thread does that, but whichever of the two has to wait for the other: both cores
of a small machine stay busy, and none has more to run than it can.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TypeVar, cast

BUFFER = 2 << 20
BUFFERS = 6

_T = TypeVar("_T")


class Ring:
    """`BUFFERS` buffers of `BUFFER` bytes, each filled again when it has been both scanned and digested.

    With `hasher` None there is nothing to digest.
    """

    def __init__(self, hasher: hashlib._Hash | None) -> None:
        self._hasher = hasher
        self._filled: SimpleQueue[memoryview | BaseException | None] = SimpleQueue()
        self._scanned: SimpleQueue[bytearray] = SimpleQueue()
        self._digested: SimpleQueue[None] = SimpleQueue()
        self._undigested: deque[memoryview] = deque()
        self._digesting = Lock()
        for _ in range(BUFFERS):
            self._scanned.put(bytearray(BUFFER))
            self._digested.put(None)

    def empty(self) -> memoryview:
        """For the inflating thread: a buffer to be filled. One without room after `stop`."""
        self._take(self._digested)
        return memoryview(self._take(self._scanned))

    def put(self, piece: memoryview) -> None:
        """For the inflating thread: hands on the filled part of a buffer."""
        if self._hasher is None:
            self._digested.put(None)
        else:
            self._undigested.append(piece)
        self._filled.put(piece)

    def end(self, error: BaseException | None = None) -> None:
        """For the inflating thread: there is no more, or for the reason `error` there will not be."""
        self._filled.put(error)

    def pieces(self) -> Iterator[memoryview]:
        """For the scanning thread: the pieces; each is valid until the next is asked for. Raises what `end` was given."""
        while True:
            piece = self._take(self._filled)
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            yield piece
            self._scanned.put(cast("bytearray", piece.obj))

    def stop(self) -> None:
        """For the scanning thread: it takes no more. The inflating thread must not wait for it."""
        self._scanned.put(bytearray())
        self._digested.put(None)

    def digest_rest(self) -> None:
        """For the scanning thread: digests what is left, when the inflating thread has ended."""
        while self._digest_one():
            pass

    def _take(self, queue: SimpleQueue[_T]) -> _T:
        """The next from `queue`; what is undigested is digested until it comes.

        Waits only when nothing is undigested, or the other thread is at it and so will not wait itself.
        """
        while True:
            try:
                return queue.get_nowait()
            except Empty:
                if not self._digest_one():
                    return queue.get()

    def _digest_one(self) -> bool:
        """Digests the next piece; False where there is none, or the other thread is digesting."""
        if self._hasher is None or not self._digesting.acquire(blocking=False):
            return False
        try:
            if not self._undigested:
                return False
            self._hasher.update(self._undigested.popleft())
            self._digested.put(None)
            return True
        finally:
            self._digesting.release()
