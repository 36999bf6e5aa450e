"""How large a piece of a layer is on the wire, given what is before it.

Compressors look back over a window. Cut into blocks that each see the window before them, a layer takes what it takes
in one stream, to well under a percent; and what changes in one block changes the size of few others.
"""

from __future__ import annotations

from typing import Protocol

from deadweight.layer.compress import DEFAULT, Compression
from deadweight.layer.decompress import ZSTD


class BlockCodec(Protocol):
    """A compression of blocks. `block` and `window` are uncompressed bytes."""

    block: int
    window: int

    def size(self, block: bytes, before: bytes) -> int:
        """The compressed bytes of `block` after `before`, which is at most `window` long."""


def block_codec(method: str) -> BlockCodec:
    """The codec for layers stored as `method`; for uncompressed ones that of `DEFAULT`."""
    if method == ZSTD:
        return _ZstdBlocks()
    return _GzipBlocks()


class _GzipBlocks:
    block = 1 << 20
    window = 32 << 10

    def size(self, block: bytes, before: bytes) -> int:
        from deadweight.layer.gzip_blocks import deflated

        return len(deflated(block, before, False, DEFAULT.effective_level)) if block else 0


class _ZstdBlocks:
    block = 4 << 20
    window = 2 << 20  # that of the default level

    def size(self, block: bytes, before: bytes) -> int:
        from backports.zstd import ZstdCompressor

        if not block:
            return 0
        # Not given as a dictionary: of one, libzstd's quick levels see a part only.
        codec = ZstdCompressor(level=Compression(ZSTD).effective_level)
        codec.compress(before, ZstdCompressor.FLUSH_BLOCK)
        return len(codec.compress(block)) + len(codec.flush())
