"""The content of one file as collectors see it: whole, or the parts of it that they asked for."""

from __future__ import annotations

from collections.abc import Iterable
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

from deadweight.layer.collect import ContentGap

MAX_RETAINED = 8 << 20
"""The most bytes of memory that stay for the next content."""


class Whole:
    """A content that lies in one buffer."""

    __slots__ = ("_data", "size")

    def __init__(self, data: memoryview | bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`, fewer at the end."""
        return bytes(self._data[offset : offset + length])


class Beginning:
    """The first bytes of a content of `size` bytes."""

    __slots__ = ("_data", "size")

    def __init__(self, size: int, data: bytes) -> None:
        self._data = data
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`, fewer at the end. Raises `ContentGap` for what is not of the first."""
        if min(offset + length, self.size) > len(self._data):
            raise _gap(offset, length, self.size)
        return self._data[offset : offset + length]


class Space:
    """Memory for one `Kept` at a time. Pages that were used before cost nothing, others are not there before they are."""

    def __init__(self) -> None:
        self._memory = memoryview(b"")

    def take(self, size: int) -> memoryview:
        """Some `size` bytes, until the next are taken."""
        if size > MAX_RETAINED:
            return _pages(size)
        if size > len(self._memory):
            self._memory = _pages(min(MAX_RETAINED, 2 * size))
        return self._memory[:size]


class Kept:
    """A content that arrives in pieces, of which only `parts` are kept: ranges of offsets."""

    __slots__ = ("_data", "_parts", "_position", "size")

    def __init__(self, size: int, parts: Iterable[range], space: Space) -> None:
        self.size = size
        self._parts = _joined(parts, size)
        left = space.take(sum(map(len, self._parts)))
        self._data = []
        for part in self._parts:
            self._data.append(left[: len(part)])
            left = left[len(part) :]
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
                return bytes(data[offset - part.start : end - part.start])
        if offset >= end:
            return b""
        raise _gap(offset, length, self.size)


def _pages(size: int) -> memoryview:
    return memoryview(mmap(-1, size, MAP_PRIVATE | MAP_ANONYMOUS))


def _gap(offset: int, length: int, size: int) -> ContentGap:
    return ContentGap(f"{length} bytes at {offset} of {size} were not kept")


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
