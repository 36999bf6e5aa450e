"""The stored bytes of a layer, counted and digested as they go by, and never more of them than there should be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import BinaryIO

from deadweight.errors import DigestMismatch, LimitExceeded
from deadweight.layer.ring import Ring, SharedDigest
from deadweight.oci.descriptor import Descriptor

Progress = Callable[[int], None]
"""Told how many stored bytes have been read so far."""

MIN_TAR_LIMIT = 4 << 30
MAX_RATIO = 100
"""A layer may expand to `MIN_TAR_LIMIT`, or to `MAX_RATIO` times its stored size where that is more."""

CHUNK, CHUNKS = 1 << 20, 4
MIN_STEP, MAX_STEP = 16 << 10, 512 << 10


def tar_limit(stored: int) -> int:
    """To how many bytes a layer of `stored` bytes may expand."""
    return max(MIN_TAR_LIMIT, stored * MAX_RATIO)


def require_within(subject: str, size: int, limit: int) -> None:
    """Raises `LimitExceeded` where `subject` expands to `size` bytes, and those are more than `limit`."""
    if size > limit:
        raise LimitExceeded(subject, f"expands to more than {limit} bytes: it may be a bomb")


class StoredLayer:
    """A stream that must be the blob of `descriptor`; `offset` is how much of it has been taken.

    Its `digest` is computed by those who wait: see `layer.ring`. `waiting` are further ones, for whoever waits here.
    """

    def __init__(
        self,
        stream: BinaryIO,
        descriptor: Descriptor,
        progress: Progress | None = None,
        waiting: Sequence[SharedDigest] = (),
    ) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._progress = progress
        self._hasher = hashlib.new(descriptor.digest.algorithm)
        self.digest = SharedDigest(self._hasher)
        self._ring = Ring(CHUNKS, CHUNK, self.digest, (self.digest, *waiting))
        self._chunk: memoryview | None = None
        self._rest = memoryview(b"")
        self._read = 0
        self.offset = 0

    @property
    def subject(self) -> str:
        """The layer's name in errors."""
        return f"layer {self._descriptor.digest}"

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills some of `buffer` and returns how many bytes; 0 at the end. Raises `DigestMismatch` past the blob's size."""
        if not self._rest:
            self._read_on()
        # Few large steps are fast; small ones at the start tell where on the wire the files of a small layer lie.
        step = min(max(self.offset // 32, MIN_STEP), MAX_STEP, len(buffer), len(self._rest))
        buffer[:step] = self._rest[:step]
        self._rest = self._rest[step:]
        self.offset += step
        return step

    def verify(self) -> None:
        """Reads what a decoder left, and raises `DigestMismatch` unless all of it was the blob of the descriptor."""
        rest = memoryview(bytearray(MAX_STEP))
        while self.readinto(rest):
            pass
        if self.offset < self._descriptor.size:
            problem = f"has {self.offset} bytes instead of {self._descriptor.size}: it is truncated"
            raise DigestMismatch(self.subject, problem)
        self.digest.finish()
        require_digest(self.subject, "has", self._hasher, self._descriptor.digest)

    def close(self) -> None:
        """Nobody must wait for a digest any longer: the thread that was at it may have been interrupted."""
        self._ring.close()

    def _read_on(self) -> None:
        if self._chunk is not None:
            self._ring.used(self._chunk)
        buffer = self._ring.empty()
        count = self._stream.readinto(buffer)  # type: ignore[attr-defined]  # as the streams of all sources have it
        self._read += count
        if self._read > self._descriptor.size:
            problem = f"is longer than the {self._descriptor.size} bytes it should have"
            raise DigestMismatch(self.subject, problem)
        self._chunk = self._rest = buffer[:count]
        self._ring.filled(self._chunk)
        if self._progress is not None:
            self._progress(self._read)


def require_digest(subject: str, has: str, hasher: hashlib._Hash, expected: str) -> None:
    """Raises `DigestMismatch` unless `hasher` found the digest `expected`."""
    found = f"{hasher.name}:{hasher.hexdigest()}"
    if found != expected:
        raise DigestMismatch(subject, f"{has} the digest {found} instead of {expected}")
