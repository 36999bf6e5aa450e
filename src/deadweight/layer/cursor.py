"""A position in the uncompressed bytes of a layer that has been indexed."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.errors import InvalidLayer
from deadweight.layer.tar_header import BLOCK_SIZE, EXTENSIONS, octal

_SIZE, _TYPE = slice(124, 136), slice(156, 157)


class Cursor:
    """A position in a stream of pieces; `offset` is how far it is. `subject` names the layer in errors."""

    def __init__(self, pieces: Iterator[bytes] | Iterator[memoryview], subject: str) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")
        self.subject = subject
        self.offset = 0

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes; each piece is valid until the next is asked for. Raises `InvalidLayer` where the stream ends before them."""
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
        return b"".join(map(bytes, self.pieces(size)))

    def skip(self, size: int) -> None:
        for _ in self.pieces(size):
            pass

    def header(self) -> bytes:
        """The blocks before the content of the entry that begins here: its header, and extension headers before that.

        They were well formed when the layer was indexed, and its digest is still to be checked.
        """
        blocks = [self.take(BLOCK_SIZE)]
        while blocks[-1][_TYPE] in EXTENSIONS:
            size = octal(blocks[-1][_SIZE])
            blocks += [self.take(size + -size % BLOCK_SIZE), self.take(BLOCK_SIZE)]
        return b"".join(blocks)
