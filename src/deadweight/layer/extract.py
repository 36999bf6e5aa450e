"""Single contents out of a layer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from deadweight.errors import DigestMismatch, InvalidLayer
from deadweight.layer.decompress import decoded
from deadweight.layer.entry import Entry
from deadweight.layer.tar_header import BLOCK_SIZE, HeaderReader
from deadweight.oci.descriptor import Descriptor


def read_content(stream: BinaryIO, descriptor: Descriptor, entry: Entry) -> Iterator[bytes]:
    """The content of `entry`, a regular file of an indexed layer whose stored bytes are in `stream`.

    Raises `DigestMismatch` at the end where it is not what the index says, `InvalidLayer` for a broken stream.
    """
    subject = f"layer {descriptor.digest}"
    cursor = _Cursor(decoded(stream, subject), subject)
    cursor.skip(entry.start)
    reader = HeaderReader()
    while isinstance(header := reader.read(cursor.take(BLOCK_SIZE)), int):
        cursor.skip(header + -header % BLOCK_SIZE)
    hasher = hashlib.sha256()
    for piece in cursor.pieces(entry.size):
        hasher.update(piece)
        yield piece
    if hasher.digest() != entry.digest:
        raise DigestMismatch(subject, f"{entry.path!r} has changed since the layer was indexed")


class _Cursor:
    """A position in a stream of pieces."""

    def __init__(self, pieces: Iterator[bytes], subject: str) -> None:
        self._pieces = pieces
        self._subject = subject
        self._left = b""

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes. Raises `InvalidLayer` where the stream ends before them."""
        while size:
            if not self._left:
                self._left = next(self._pieces, b"")
                if not self._left:
                    raise InvalidLayer(self._subject, "ends before an entry that it had when it was indexed")
            piece, self._left = self._left[:size], self._left[size:]
            size -= len(piece)
            yield piece

    def take(self, size: int) -> bytes:
        return b"".join(self.pieces(size))

    def skip(self, size: int) -> None:
        for _ in self.pieces(size):
            pass
