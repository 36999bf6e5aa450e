"""A layer's uncompressed bytes, verified as they go by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from typing import BinaryIO, cast

from deadweight.errors import DigestMismatch, LimitExceeded
from deadweight.layer.decompress import decoded
from deadweight.layer.indexer import MAX_RATIO, MIN_TAR_LIMIT
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest

Progress = Callable[[int], None]
"""Told how many stored bytes have been read so far."""


def inflated(
    stream: BinaryIO, descriptor: Descriptor, diff_id: Digest, progress: Progress | None = None
) -> Generator[bytes, None, None]:
    """The uncompressed bytes of the layer in `stream`, whose stored bytes must be what `descriptor` says.

    Whoever uses them has to take them all: at the end `DigestMismatch` is raised where the blob is not that of
    `descriptor` or did not expand to `diff_id`. Raises `InvalidLayer` for a broken stream, `LimitExceeded` for a bomb.
    """
    subject = f"layer {descriptor.digest}"
    stored = _Stored(stream, descriptor, progress)
    digest = hashlib.new(diff_id.algorithm)
    limit = max(MIN_TAR_LIMIT, descriptor.size * MAX_RATIO)
    size = 0
    for piece in decoded(cast("BinaryIO", stored), subject):
        size += len(piece)
        if size > limit:
            raise LimitExceeded(subject, f"expands to more than {limit} bytes: it may be a bomb")
        digest.update(piece)
        yield piece
    stored.require_all()
    found = f"{digest.name}:{digest.hexdigest()}"
    if found != diff_id:
        raise DigestMismatch(subject, f"the uncompressed layer has the digest {found} instead of {diff_id}")


class _Stored:
    """The stored bytes, counted and hashed, and never more of them than there should be."""

    def __init__(self, stream: BinaryIO, descriptor: Descriptor, progress: Progress | None) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._progress = progress
        self._digest = hashlib.new(descriptor.digest.algorithm)
        self._offset = 0

    def readinto(self, buffer: memoryview, /) -> int:
        chunk = self._stream.read(len(buffer))
        self._offset += len(chunk)
        if self._offset > self._descriptor.size:
            raise self._mismatch(f"is longer than the {self._descriptor.size} bytes it should have")
        buffer[: len(chunk)] = chunk
        self._digest.update(chunk)
        if self._progress is not None:
            self._progress(self._offset)
        return len(chunk)

    def require_all(self) -> None:
        """Raises `DigestMismatch` unless all stored bytes are there, and are those described."""
        rest = memoryview(bytearray(1 << 16))
        while self.readinto(rest):
            pass
        if self._offset < self._descriptor.size:
            raise self._mismatch(f"has {self._offset} bytes instead of {self._descriptor.size}")
        found = f"{self._digest.name}:{self._digest.hexdigest()}"
        if found != self._descriptor.digest:
            raise self._mismatch(f"the stored layer has the digest {found}")

    def _mismatch(self, problem: str) -> DigestMismatch:
        return DigestMismatch(f"layer {self._descriptor.digest}", problem)
