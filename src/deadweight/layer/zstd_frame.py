"""zstd (RFC 8878) written as one frame, so that the bytes do not depend on the number of threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backports.zstd import CompressionParameter, ZstdCompressor

from deadweight.layer.blocks import Block


def zstd_frame(chunks: Iterable[bytes], level: int, threads: int) -> Iterator[Block]:
    """`chunks` as one frame. What a piece stands for is known at the end only: the last has the whole size."""
    # libzstd cuts its input into jobs whenever it has workers, be it one, and not without: never without.
    options: dict[int, int] = {
        CompressionParameter.compression_level: level,
        CompressionParameter.nb_workers: threads,
    }
    codec = ZstdCompressor(options=options)
    size = 0
    for chunk in chunks:
        # Even an empty chunk would begin the frame, and with another header than an empty layer has without it.
        data = codec.compress(chunk) if chunk else b""
        size += len(chunk)
        if data:
            yield Block(0, data)
    yield Block(size, codec.flush())
