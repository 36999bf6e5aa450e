"""One pass over a layer, whatever the sizes of its buffers and of the reads of its source."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import zlib
from collections.abc import Callable
from itertools import pairwise

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from deadweight.layer import reader, ring, stored
from deadweight.layer.index import LayerIndex
from deadweight.layer.indexer import index_layer
from deadweight.oci import media_types
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from layer_stacks import Item, tar_of

_NOISE = random.Random(7).randbytes(300_000)
ITEMS = [
    Item("small", "f", b"1" * 700),
    Item("noise", "f", _NOISE),
    Item("empty", "f", b""),
    Item("zeros", "f", bytes(900_000)),
    *(Item(f"few{number}", "f", _NOISE[number * 300 :][:300]) for number in range(200)),
]
TAR = tar_of(ITEMS)
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 6, mtime=0),
    "zstd": zstd.compress,
    "uncompressed": lambda data: data,
}
STORED = {name: compress(TAR) for name, compress in COMPRESSIONS.items()}


class Slow(io.RawIOBase):
    """A source that gives at most `most` bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._data.readinto(buffer[: self._most])


def index(data: bytes, most: int = 1 << 30) -> LayerIndex:
    descriptor = Descriptor(media_types.OCI_LAYER, Digest.of(data), len(data))
    return index_layer(Slow(data, most), descriptor, Digest.of(TAR))  # type: ignore[arg-type]


EXPECTED = {name: index(data).entries for name, data in STORED.items()}


@given(
    compression=st.sampled_from(sorted(STORED)),
    buffer=st.integers(500, 100_000),
    buffers=st.integers(1, 4),
    chunk=st.integers(1000, 100_000),
    chunks=st.integers(1, 4),
    most=st.integers(700, 1 << 20),
)
@settings(max_examples=60, deadline=None)
def test_the_sizes_of_buffers_and_reads_change_nothing(
    compression: str, buffer: int, buffers: int, chunk: int, chunks: int, most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BUFFER", buffer)
        patch.setattr(reader, "BUFFERS", buffers)
        patch.setattr(stored, "CHUNK", chunk)
        patch.setattr(stored, "CHUNKS", chunks)
        result = index(STORED[compression], most)
    assert result.entries == EXPECTED[compression]
    assert result.tar_size == len(TAR)
    assert sum(result.wire_shares()) == len(STORED[compression])


@pytest.mark.parametrize("compression", sorted(STORED))
def test_offsets_are_those_of_the_stream(compression: str) -> None:
    """At each pair, the stored bytes before the one expand to the bytes before the other, but for a last few."""
    data = STORED[compression]
    wire_map = index(data).wire
    pairs = list(zip(wire_map.tar, wire_map.wire, strict=True))
    assert pairs[0] == (0, 0)
    assert pairs[-1] == (len(TAR), len(data))
    assert all(tar0 < tar1 and wire0 < wire1 for (tar0, wire0), (tar1, wire1) in pairwise(pairs))
    if compression == "gzip":
        assert len(pairs) > 10
        for tar, wire in pairs:
            assert abs(len(zlib.decompressobj(31).decompress(data[:wire])) - tar) < 1000


def test_what_compresses_well_has_a_small_share() -> None:
    """A megabyte of zeros between noise: its share is not that of its size, even in a small layer."""
    result = index(STORED["gzip"])
    shares = dict(zip((entry.path for entry in result.entries), result.wire_shares(), strict=True))
    assert abs(shares["noise"] - 300_000) < 20_000
    assert shares["zeros"] < 30_000


def test_a_digest_is_finished_by_whoever_asks() -> None:
    hasher = hashlib.sha256()
    digest = ring.SharedDigest(hasher)
    buffers = ring.Ring(3, 10, digest, (digest,))
    for text in (b"one", b"two", b"three", b"four", b"five"):
        piece = buffers.empty()
        piece[: len(text)] = text
        buffers.filled(piece[: len(text)])
        buffers.used(piece)
    digest.finish()
    assert hasher.hexdigest() == hashlib.sha256(b"onetwothreefourfive").hexdigest()
