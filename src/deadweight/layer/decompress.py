"""Compressed layer streams: recognised by their first bytes, inflated piece by piece in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from deadweight.errors import InvalidLayer

GZIP = "gzip"
ZSTD = "zstd"
UNCOMPRESSED = "uncompressed"

PIECE = 4 << 20
"""The most bytes that one step of a decoder returns, however much its input expands to."""


class Decoder(Protocol):
    """A stream being inflated."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` expands to, in pieces of at most `PIECE` bytes. Raises `DecodingError`."""

    def finish(self) -> None:
        """Raises `DecodingError` where the stream ended too early."""


class DecodingError(Exception):
    """A compressed stream that is broken; the message says how."""


def sniff(head: bytes) -> str:
    """The compression that the first bytes of a stream show: gzip (RFC 1952), zstd (RFC 8878) or none."""
    if head[:2] == b"\x1f\x8b":
        return GZIP
    if head[:4] == b"\x28\xb5\x2f\xfd" or (len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return ZSTD
    return UNCOMPRESSED


def decoder(compression: str) -> Decoder:
    """A decoder for `GZIP`, `ZSTD` or `UNCOMPRESSED`."""
    return {GZIP: _Gzip, ZSTD: _Zstd, UNCOMPRESSED: _Plain}[compression]()


def decoded(chunks: Iterator[bytes], subject: str) -> Iterator[bytes]:
    """The uncompressed bytes of a stream in any of the compressions. Raises `InvalidLayer` naming `subject`."""
    head = next(chunks, b"")
    while len(head) < 4 and (more := next(chunks, b"")):
        head += more
    inflater = decoder(sniff(head))
    try:
        yield from inflater.feed(head)
        for chunk in chunks:
            yield from inflater.feed(chunk)
        inflater.finish()
    except DecodingError as error:
        raise InvalidLayer(subject, str(error)) from None


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        if data:
            yield data

    def finish(self) -> None:
        pass


class _Gzip:
    """Members one after another (RFC 1952, 2.2); zero bytes may follow the last, as in CPython's gzip."""

    def __init__(self) -> None:
        from isal import isal_zlib  # imported where used: an uncompressed image needs no codec

        self._codec = isal_zlib
        self._member = isal_zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._between = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while data:
                if self._between:
                    data = data.lstrip(b"\0")
                    if not data:
                        return
                    self._member = self._codec.decompressobj(16 + zlib.MAX_WBITS)
                    self._between = False
                piece = self._member.decompress(data, PIECE)
                if piece:
                    yield piece
                if self._member.eof:
                    data = self._member.unused_data
                    self._between = True
                else:
                    data = self._member.unconsumed_tail
                    if not data and len(piece) == PIECE:
                        yield from self._rest()
        except self._codec.error as error:
            raise DecodingError(f"the gzip stream is corrupt ({error})") from None

    def _rest(self) -> Iterator[bytes]:
        # All input is taken, but a full piece may have left more output inside.
        while piece := self._member.decompress(b"", PIECE):
            yield piece

    def finish(self) -> None:
        if not self._between:
            raise DecodingError("the gzip stream is truncated")


class _Zstd:
    """Frames one after another (RFC 8878, 3.1), skippable ones too."""

    def __init__(self) -> None:
        from backports import zstd

        self._codec = zstd
        self._frame = zstd.ZstdDecompressor()
        self._started = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while data:
                if self._frame.eof:
                    self._frame = self._codec.ZstdDecompressor()
                self._started = True
                piece = self._frame.decompress(data, PIECE)
                if piece:
                    yield piece
                while not self._frame.eof and not self._frame.needs_input:
                    piece = self._frame.decompress(b"", PIECE)
                    if piece:
                        yield piece
                data = self._frame.unused_data if self._frame.eof else b""
        except self._codec.ZstdError as error:
            raise DecodingError(f"the zstd stream is corrupt ({error})") from None

    def finish(self) -> None:
        if not self._started or not self._frame.eof:
            raise DecodingError("the zstd stream is truncated")
