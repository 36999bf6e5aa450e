"""The content of one file as collectors see it: whole, or its first and last bytes."""

from __future__ import annotations

from deadweight.layer.collect import ContentGap


class Whole:
    """A content that lies in one buffer."""

    __slots__ = ("_data", "size")

    def __init__(self, data: memoryview | bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`, fewer at the end."""
        return bytes(self._data[offset : offset + length])


class Ends:
    """A content that arrives in pieces, of which the first and the last `limit` bytes are kept."""

    __slots__ = ("_head", "_limit", "_tail", "size")

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self._limit = limit
        self._head = bytearray()
        self._tail = bytearray()

    def append(self, piece: memoryview) -> None:
        """Takes in the next piece."""
        room = self._limit - len(self._head)
        if room > 0:
            self._head += piece[:room]
        if self.size <= self._limit:
            return
        if len(piece) >= self._limit:
            self._tail = bytearray(piece[-self._limit :])
        else:
            self._tail += piece
            if len(self._tail) > 2 * self._limit:
                del self._tail[: -self._limit]

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`, fewer at the end. Raises `ContentGap` for what was not kept."""
        end = min(offset + length, self.size)
        if end <= len(self._head):
            return bytes(self._head[offset:end])
        tail_start = self.size - len(self._tail)
        if offset >= tail_start:
            return bytes(self._tail[offset - tail_start : end - tail_start])
        if tail_start <= len(self._head):
            return bytes(self._head[offset:] + self._tail[len(self._head) - tail_start : end - tail_start])
        raise ContentGap(f"bytes {offset} to {end} of {self.size} were not kept")
