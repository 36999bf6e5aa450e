"""Compressed layer streams: recognised by their first bytes, inflated into the reader's buffer, in bounded memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol, cast

from deadweight.errors import InvalidLayer

GZIP = "gzip"
ZSTD = "zstd"
UNCOMPRESSED = "uncompressed"

READ = 512 << 10
"""The most stored bytes that a decoder takes at a time."""


class Stored(Protocol):
    """A stream of stored bytes."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fills some of `buffer` and returns how many bytes; 0 at the end."""


class Decoder(Protocol):
    """A stream being inflated."""

    @property
    def produced(self) -> int:
        """How many bytes have come out so far. When it reads on, all that it has read is in them."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills some of `buffer` and returns how many bytes; 0 at the end. Raises `DecodingError`."""


class DecodingError(Exception):
    """A compressed stream that is broken; the message says how."""


def sniff(head: bytes) -> str:
    """The compression that the first bytes of a stream show: gzip (RFC 1952), zstd (RFC 8878) or none."""
    if head[:2] == b"\x1f\x8b":
        return GZIP
    skippable = len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50
    if head[:4] == b"\x28\xb5\x2f\xfd" or skippable:
        return ZSTD
    return UNCOMPRESSED


def decoder(compression: str, stored: Stored) -> Decoder:
    """A decoder of `stored`, which is in `GZIP`, `ZSTD` or `UNCOMPRESSED`."""
    if compression == GZIP:
        return _Gzip(stored)
    if compression == ZSTD:
        return _Zstd(stored)
    return _Plain(stored)


def decoded(stream: BinaryIO, subject: str, piece: int = 1 << 20) -> Iterator[bytes]:
    """The uncompressed bytes of a stream in any of the compressions. Raises `InvalidLayer` naming `subject`."""
    stored = Rewound(cast("Stored", stream))
    inflater = decoder(sniff(stored.head), stored)
    buffer = memoryview(bytearray(piece))
    try:
        while count := inflater.readinto(buffer):
            yield bytes(buffer[:count])
    except DecodingError as error:
        raise InvalidLayer(subject, str(error)) from None


class Rewound(io.RawIOBase):
    """A stream whose first bytes have been looked at."""

    def __init__(self, stream: Stored) -> None:
        self._stream = stream
        first = bytearray(4)
        count = 0
        while count < 4 and (step := stream.readinto(memoryview(first)[count:])):
            count += step
        self.head = bytes(first[:count])
        self._left = self.head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._left:
            count = min(len(buffer), len(self._left))
            buffer[:count] = self._left[:count]
            self._left = self._left[count:]
            return count
        return self._stream.readinto(buffer) or 0


class _Plain:
    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.produced = 0

    def readinto(self, buffer: memoryview, /) -> int:
        count = self._stored.readinto(buffer) or 0
        self.produced += count
        return count


class _Gzip:
    """Members one after another (RFC 1952, 2.2); zero bytes may follow the last, as in CPython's gzip."""

    def __init__(self, stored: Stored) -> None:
        from isal import isal_zlib  # imported where used: an uncompressed image needs no codec

        # OverflowError is for a header that is longer than the buffer.
        own = cast("type[Exception]", isal_zlib.error)
        self._errors = (own, zlib.error, gzip.BadGzipFile, OverflowError)
        self._reader = isal_zlib._GzipReader(cast("BinaryIO", stored), READ)

    @property
    def produced(self) -> int:
        return self._reader.tell()

    def readinto(self, buffer: memoryview, /) -> int:
        try:
            return int(self._reader.readinto(buffer))
        except EOFError:
            raise DecodingError("the gzip stream is truncated") from None
        except self._errors as error:
            raise DecodingError(f"the gzip stream is corrupt ({error})") from None


class _Zstd:
    """Frames one after another (RFC 8878, 3.1), skippable ones too."""

    def __init__(self, stored: Stored) -> None:
        from backports import zstd

        self._codec = zstd
        self._stored = stored
        self._frame = zstd.ZstdDecompressor()
        self._input = memoryview(bytearray(READ))
        self.produced = 0

    def readinto(self, buffer: memoryview, /) -> int:
        while True:
            data = b""
            if self._frame.eof:
                data = self._frame.unused_data or self._read()
                if not data:
                    return 0
                self._frame = self._codec.ZstdDecompressor()
            elif self._frame.needs_input:
                data = self._read()
                if not data:
                    raise DecodingError("the zstd stream is truncated")
            piece = self._inflate(data, len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                self.produced += len(piece)
                return len(piece)

    def _read(self) -> bytes:
        return bytes(self._input[: self._stored.readinto(self._input) or 0])

    def _inflate(self, data: bytes, most: int) -> bytes:
        try:
            return self._frame.decompress(data, most)
        except self._codec.ZstdError as error:
            raise DecodingError(f"the zstd stream is corrupt ({error})") from None
