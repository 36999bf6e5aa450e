"""gzip (RFC 1952) written in blocks, so that threads share the work and the bytes do not depend on how many.

The scheme is pigz's: one member of blocks of a fixed size, each compressed with the 32 KiB before it as its dictionary
and ended by a sync flush, so that the blocks put one after another are one deflate stream (RFC 1951).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

from isal import isal_zlib
from zlib_ng import zlib_ng

from deadweight.layer.blocks import Block

BLOCK = 256 << 10
"""Uncompressed bytes of a block. Another size gives other bytes."""
WINDOW = 32 << 10
"""How far deflate looks back."""

# Half a percent smaller than zlib's usual 8 and as fast: shorter deflate blocks fit what is in them better.
_MEMORY_LEVEL = 7
# No name, no time, no flags, and an unknown operating system: nothing that differs between two runs.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def gzip_blocks(chunks: Iterable[bytes], level: int, threads: int) -> Iterator[Block]:
    """`chunks` as one gzip member; at most twelve blocks for each thread are in memory."""
    checksum, size = 0, 0
    pool = ThreadPoolExecutor(threads, "gzip")
    pending: deque[tuple[int, Future[bytes]]] = deque()
    waits = True
    try:
        yield Block(0, _HEADER)
        for block, dictionary, last in _with_context(reblocked(chunks, BLOCK)):
            checksum = isal_zlib.crc32(block, checksum)
            size += len(block)
            pending.append((len(block), pool.submit(deflated, block, dictionary, last, level)))
            # The work ahead keeps the threads busy while the caller stores what is done.
            while pending and (pending[0][1].done() or len(pending) >= 12 * threads):
                yield _finished(pending)
        while pending:
            yield _finished(pending)
        yield Block(0, checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little"))
    except KeyboardInterrupt:
        waits = False  # it may have come within the pool's own code, and left a lock held that its threads wait for
        raise
    finally:
        pool.shutdown(wait=waits, cancel_futures=True)


def reblocked(chunks: Iterable[bytes | memoryview], size: int) -> Iterator[bytes]:
    """The bytes of `chunks` in pieces of `size`, the last one shorter."""
    block, filled = bytearray(size), 0
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            if not filled and len(view) >= size:
                yield bytes(view[:size])
                view = view[size:]
                continue
            taken = min(size - filled, len(view))
            block[filled : filled + taken] = view[:taken]
            filled += taken
            view = view[taken:]
            if filled == size:
                yield bytes(block)
                filled = 0
    if filled:
        yield bytes(block[:filled])


def _with_context(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bytes, bool]]:
    """Each block with its dictionary, and whether it is the last; one empty block where there is none."""
    dictionary = b""
    block = next(blocks, b"")
    for following in chain(blocks, (None,)):
        yield block, dictionary, following is None
        if following is not None:
            dictionary, block = block[-WINDOW:], following


def deflated(block: bytes, dictionary: bytes, last: bool, level: int) -> bytes:
    """`block` as the part of a deflate stream after `dictionary`; with `last`, as its end."""
    codec = zlib_ng.compressobj(
        level, zlib_ng.DEFLATED, -15, _MEMORY_LEVEL, zlib_ng.Z_DEFAULT_STRATEGY, dictionary
    )
    return codec.compress(block) + codec.flush(zlib_ng.Z_FINISH if last else zlib_ng.Z_SYNC_FLUSH)


def _finished(pending: deque[tuple[int, Future[bytes]]]) -> Block:
    size, future = pending.popleft()
    return Block(size, future.result())
