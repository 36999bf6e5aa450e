"""Bounded access to a database file that may lie about itself."""

from __future__ import annotations

from deadweight.layer.collect import Content


class BrokenDatabase(ValueError):
    """A database that breaks its format; the text completes "PATH: ..."."""


class Pages:
    """Pages of one size, each of which may be read once: chains that run in a circle end."""

    def __init__(self, content: Content, size: int) -> None:
        if size < 512 or size > 65536 or size & (size - 1):
            raise BrokenDatabase(f"has pages of {size} bytes")
        self._content = content
        self._read: set[int] = set()
        self.size = size
        self.count = content.size // size

    def take(self, index: int) -> bytes:
        """The page at `index`, counted from 0. Raises `BrokenDatabase` where it is not there or was taken before."""
        if not 0 <= index < self.count:
            raise BrokenDatabase(f"refers to page {index}, but has {self.count}")
        if index in self._read:
            raise BrokenDatabase(f"refers to page {index} twice")
        self._read.add(index)
        return self._content.read(index * self.size, self.size)
