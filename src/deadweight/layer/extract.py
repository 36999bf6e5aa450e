"""Contents out of a layer that has been indexed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from deadweight.errors import DigestMismatch, InvalidLayer
from deadweight.layer.decompress import decoded
from deadweight.layer.entry import Entry
from deadweight.layer.inflate import inflated
from deadweight.layer.tar_header import BLOCK_SIZE, HeaderReader
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest


def read_content(stream: BinaryIO, descriptor: Descriptor, entry: Entry) -> Iterator[memoryview]:
    """The content of `entry`, a regular file of an indexed layer whose stored bytes are in `stream`.

    Raises `DigestMismatch` at the end where it is not what the index says, `InvalidLayer` for a broken stream.
    """
    subject = f"layer {descriptor.digest}"
    return _content(_Cursor(decoded(stream, subject), subject), entry)


def read_contents(
    stream: BinaryIO, descriptor: Descriptor, diff_id: Digest, entries: Sequence[Entry], wanted: Iterable[int]
) -> Iterator[tuple[int, Iterator[memoryview]]]:
    """The contents of `wanted`, numbers of regular files among the `entries` of an indexed layer, in the order of the layer.

    Each must be used up before the next is asked for. All of the layer is read and verified: raises what `inflated` raises.
    """
    pieces = inflated(stream, descriptor, diff_id)
    cursor = _Cursor(pieces, f"layer {descriptor.digest}")
    for number in sorted(wanted):
        yield number, _content(cursor, entries[number])
    for _ in pieces:
        pass


def _content(cursor: _Cursor, entry: Entry) -> Iterator[memoryview]:
    cursor.skip(entry.start - cursor.offset)
    reader = HeaderReader()
    while isinstance(header := reader.read(cursor.take(BLOCK_SIZE)), int):
        cursor.skip(header + -header % BLOCK_SIZE)
    hasher = hashlib.sha256()
    for piece in cursor.pieces(entry.size):
        hasher.update(piece)
        yield piece
    if hasher.digest() != entry.digest:
        raise DigestMismatch(cursor.subject, f"{entry.path!r} has changed since the layer was indexed")


class _Cursor:
    """A position in a stream of pieces; `offset` is how far it is."""

    def __init__(self, pieces: Iterator[bytes], subject: str) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")
        self.subject = subject
        self.offset = 0

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes. Raises `InvalidLayer` where the stream ends before them."""
        while size:
            if not self._left:
                self._left = memoryview(next(self._pieces, b""))
                if not self._left:
                    raise InvalidLayer(self.subject, "ends before an entry that it had when it was indexed")
            piece, self._left = self._left[:size], self._left[size:]
            size -= len(piece)
            self.offset += len(piece)
            yield piece

    def take(self, size: int) -> bytes:
        return b"".join(self.pieces(size))

    def skip(self, size: int) -> None:
        for _ in self.pieces(size):
            pass
