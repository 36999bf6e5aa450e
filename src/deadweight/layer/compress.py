"""Layers compressed so that the same layer always gives the same bytes, on any number of threads.

What may change the bytes is the codec's version: it is pinned, and `Compression.codec` names it for the record.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from deadweight.errors import UsageError
from deadweight.layer.blocks import Block
from deadweight.layer.decompress import GZIP, UNCOMPRESSED, ZSTD
from deadweight.layer.index import WireMap

KEEP = "keep"
CHOICES = "gzip[:1-9], zstd[:1-19], uncompressed or keep"
MAX_THREADS = 64
"""More are not used: each holds a few pieces of the layer in memory."""

_LEVELS = {GZIP: range(1, 10), ZSTD: range(1, 20)}  # above 19, zstd needs readers with windows over 8 MiB
# Neither slower nor larger than what skopeo writes by default (benchmarks/).
_DEFAULTS = {GZIP: 3, ZSTD: 4, UNCOMPRESSED: 0}


@dataclass(frozen=True, slots=True)
class Compression:
    """How layers are to be stored. `level` is None where any will do: `effective_level` is taken to write one."""

    method: str
    """``gzip``, ``zstd`` or ``uncompressed``."""
    level: int | None = None

    @classmethod
    def parse(cls, text: str) -> Compression | None:
        """The compression in ``gzip[:level]``, ``zstd[:level]`` or ``uncompressed``; None for ``keep``.

        Raises `UsageError` for anything else.
        """
        if text == KEEP:
            return None
        method, colon, level = text.partition(":")
        if method not in _DEFAULTS or (colon and method == UNCOMPRESSED):
            raise UsageError(repr(text[:60]), "is not a compression", f"write {CHOICES}")
        if not colon:
            return cls(method)
        levels = _LEVELS[method]
        if not (level.isascii() and level.isdigit() and len(level) < 3 and int(level) in levels):
            problem = f"{method} has no level {level[:20]!r}"
            raise UsageError(repr(text[:60]), problem, f"choose one from {levels[0]} to {levels[-1]}")
        return cls(method, int(level))

    def __str__(self) -> str:
        return self.method if self.level is None else f"{self.method}:{self.level}"

    @property
    def effective_level(self) -> int:
        """The level that is written; 0 without compression."""
        return _DEFAULTS[self.method] if self.level is None else self.level

    @property
    def codec(self) -> str:
        """What decides the bytes: codec, version and level, as in ``zlib-ng 2.3.3, level 3``; empty without compression."""
        if self.method == GZIP:
            from zlib_ng import zlib_ng

            return f"zlib-ng {zlib_ng.ZLIBNG_RUNTIME_VERSION}, level {self.effective_level}"
        if self.method == ZSTD:
            from backports import zstd

            return f"zstd {zstd.zstd_version}, level {self.effective_level}"
        return ""


DEFAULT = Compression(GZIP)
"""What estimates of wire sizes are made with."""


def compress(chunks: Iterable[bytes], compression: Compression, threads: int) -> Generator[bytes, None, None]:
    """`chunks` compressed on `threads` threads beside the caller's, whose number does not change the bytes.

    Memory is bounded, whatever the size of the layer. An error of `chunks` passes through.
    """
    for block in blocks(chunks, compression, threads):
        yield block.data


def blocks(chunks: Iterable[bytes], compression: Compression, threads: int) -> Iterator[Block]:
    """The same with the uncompressed bytes that each piece stands for."""
    threads = max(1, min(threads, MAX_THREADS))
    if compression.method == GZIP:
        from deadweight.layer.gzip_blocks import gzip_blocks

        return gzip_blocks(chunks, compression.effective_level, threads)
    if compression.method == ZSTD:
        from deadweight.layer.zstd_frame import zstd_frame

        return zstd_frame(chunks, compression.effective_level, threads)
    return (Block(len(chunk), chunk) for chunk in chunks)


def measure(chunks: Iterable[bytes], compression: Compression, threads: int) -> WireMap:
    """Where each part of `chunks` would lie on the wire, to a block (256 KiB for gzip; for zstd only the end is known)."""
    tar, wire = array("Q", [0]), array("Q", [0])
    read = written = 0
    for block in blocks(chunks, compression, threads):
        read += block.size
        written += len(block.data)
        if block.size:
            tar.append(read)
            wire.append(written)
    wire[-1] = written
    return WireMap(tar, wire)


def available_threads() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
