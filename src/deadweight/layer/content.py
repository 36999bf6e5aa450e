"""The content of one file as collectors see it: whole, or the parts of it that they asked for."""

from __future__ import annotations

from collections.abc import Iterable
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

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


class Kept:
    """A content that arrives in pieces, of which only `parts` are kept: ranges of offsets."""

    __slots__ = ("_data", "_parts", "_position", "size")

    def __init__(self, size: int, parts: Iterable[range]) -> None:
        self.size = size
        self._parts = _joined(parts, size)
        # No page of it is there before it is written.
        self._data = [mmap(-1, len(part), MAP_PRIVATE | MAP_ANONYMOUS) for part in self._parts]
        self._position = 0

    def append(self, piece: memoryview | bytes) -> None:
        """Takes in the next piece."""
        begin = self._position
        end = self._position = begin + len(piece)
        for part, data in zip(self._parts, self._data, strict=True):
            first, last = max(part.start, begin), min(part.stop, end)
            if first < last:
                data[first - part.start : last - part.start] = piece[first - begin : last - begin]

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`, fewer at the end. Raises `ContentGap` for what was not kept."""
        end = min(offset + length, self.size)
        for part, data in zip(self._parts, self._data, strict=True):
            if part.start <= offset and end <= part.stop:
                return data[offset - part.start : end - part.start]
        if offset >= end:
            return b""
        raise ContentGap(f"bytes {offset} to {end} of {self.size} were not kept")


def _joined(parts: Iterable[range], size: int) -> list[range]:
    """`parts` within `size`, in order, those that touch joined."""
    joined: list[range] = []
    for part in sorted((range(max(part.start, 0), min(part.stop, size)) for part in parts), key=_start):
        if joined and part.start <= joined[-1].stop:
            joined[-1] = range(joined[-1].start, max(joined[-1].stop, part.stop))
        elif part:
            joined.append(part)
    return joined


def _start(part: range) -> int:
    return part.start
