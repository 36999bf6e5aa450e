"""The stored bytes of a layer, counted and digested as they go by, and never more of them than there should be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from deadweight.errors import DigestMismatch, LimitExceeded
from deadweight.oci.descriptor import Descriptor

Progress = Callable[[int], None]
"""Told how many stored bytes have been read so far."""

MIN_TAR_LIMIT = 4 << 30
MAX_RATIO = 100
"""A layer may expand to `MIN_TAR_LIMIT`, or to `MAX_RATIO` times its stored size where that is more."""

MIN_STEP, MAX_STEP = 16 << 10, 512 << 10


def tar_limit(stored: int) -> int:
    """To how many bytes a layer of `stored` bytes may expand."""
    return max(MIN_TAR_LIMIT, stored * MAX_RATIO)


def require_within(subject: str, size: int, limit: int) -> None:
    """Raises `LimitExceeded` where `subject` expands to `size` bytes, and those are more than `limit`."""
    if size > limit:
        raise LimitExceeded(subject, f"expands to more than {limit} bytes: it may be a bomb")


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
        # Few large steps are fast; small ones at the start tell where on the wire the files of a small layer lie.
        step = min(max(self.offset // 32, MIN_STEP), MAX_STEP)
        count: int = self._stream.readinto(buffer[:step])  # type: ignore[attr-defined]  # as those of all sources have it
        self.offset += count
        if self.offset > self._descriptor.size:
            problem = f"is longer than the {self._descriptor.size} bytes it should have"
            raise DigestMismatch(self.subject, problem)
        self._hasher.update(buffer[:count])
        if self._progress is not None:
            self._progress(self.offset)
        return count

    def verify(self) -> None:
        """Reads what a decoder left, and raises `DigestMismatch` unless all of it was the blob of the descriptor."""
        rest = memoryview(bytearray(MAX_STEP))
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
