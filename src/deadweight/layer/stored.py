"""The stored bytes of a layer, counted and hashed as they go by, and never more of them than there should be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from deadweight.errors import DigestMismatch
from deadweight.oci.descriptor import Descriptor

Progress = Callable[[int], None]
"""Told how many stored bytes have been read so far."""

MIN_TAR_LIMIT = 4 << 30
MAX_RATIO = 100
"""A layer may expand to `MIN_TAR_LIMIT`, or to `MAX_RATIO` times its stored size where that is more."""


def tar_limit(stored: int) -> int:
    """To how many bytes a layer of `stored` bytes may expand."""
    return max(MIN_TAR_LIMIT, stored * MAX_RATIO)


class StoredLayer:
    """A stream that must be the blob of `descriptor`; `offset` is how much of it has been read."""

    def __init__(self, stream: BinaryIO, descriptor: Descriptor, progress: Progress | None = None) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._progress = progress
        self._hasher = hashlib.new(descriptor.digest.algorithm)
        self.offset = 0

    @property
    def subject(self) -> str:
        """The layer's name in errors."""
        return f"layer {self._descriptor.digest}"

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills some of `buffer` and returns how many bytes; 0 at the end. Raises `DigestMismatch` past the blob's size."""
        # Few large reads are fast; at the start small ones tell where on the wire the files of a small layer lie.
        most = min(max(self.offset // 32, 16 << 10), len(buffer))
        count = self._stream.readinto(buffer[:most])  # type: ignore[attr-defined]  # as all our sources have it
        self.offset += count
        if self.offset > self._descriptor.size:
            problem = f"is longer than the {self._descriptor.size} bytes it should have"
            raise DigestMismatch(self.subject, problem)
        self._hasher.update(buffer[:count])
        if self._progress is not None:
            self._progress(self.offset)
        return int(count)

    def verify(self) -> None:
        """Reads what a decoder left, and raises `DigestMismatch` unless all of it was the blob of the descriptor."""
        rest = memoryview(bytearray(1 << 16))
        while self.readinto(rest):
            pass
        if self.offset < self._descriptor.size:
            problem = f"has {self.offset} bytes instead of {self._descriptor.size}: it is truncated"
            raise DigestMismatch(self.subject, problem)
        require_digest(self.subject, "has", self._hasher, self._descriptor.digest)


def require_digest(subject: str, has: str, hasher: hashlib._Hash, expected: str) -> None:
    """Raises `DigestMismatch` unless `hasher` found the digest `expected`."""
    found = f"{hasher.name}:{hasher.hexdigest()}"
    if found != expected:
        raise DigestMismatch(subject, f"{has} the digest {found} instead of {expected}")
