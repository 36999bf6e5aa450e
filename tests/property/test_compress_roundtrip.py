"""Whatever the bytes, their pieces and the threads: what was compressed comes back, and is always the same."""

from __future__ import annotations

import gzip
import io

from hypothesis import example, given, settings
from hypothesis import strategies as st

from deadweight.layer.compress import Compression, compress, measure
from deadweight.layer.decompress import decoded
from deadweight.layer.gzip_blocks import reblocked

COMPRESSIONS = st.one_of(
    st.builds(Compression, st.just("gzip"), st.integers(1, 6)),
    st.builds(Compression, st.just("zstd"), st.integers(1, 6)),
    st.just(Compression("uncompressed")),
)
# Short ones, and long ones that fill several blocks of a megabyte.
CHUNKS = st.lists(
    st.builds(lambda data, times: data * times, st.binary(max_size=100), st.sampled_from((1, 7, 5_000))),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@example([b""], Compression("zstd", 1), 1, 1)
@given(CHUNKS, COMPRESSIONS, st.integers(1, 5), st.integers(1, 200_000))
def test_round_trip(chunks: list[bytes], compression: Compression, threads: int, piece: int) -> None:
    data = b"".join(chunks)
    stored = b"".join(compress(chunks, compression, threads))
    assert stored == b"".join(compress(reblocked(chunks, piece), compression, 1))
    if compression.method == "uncompressed":
        assert stored == data
    else:
        assert b"".join(decoded(io.BytesIO(stored), "layer")) == data
    if compression.method == "gzip":
        assert gzip.decompress(stored) == data


@settings(max_examples=30, deadline=None)
@given(CHUNKS, COMPRESSIONS, st.lists(st.integers(0, 6_000_000), max_size=20))
def test_every_byte_has_its_place_on_the_wire(
    chunks: list[bytes], compression: Compression, offsets: list[int]
) -> None:
    wire = measure(chunks, compression, 2)
    size = sum(map(len, chunks))
    places = [wire.at(min(offset, size)) for offset in sorted(offsets)]
    assert places == sorted(places)
    assert wire.at(size) == wire.wire[-1] == sum(map(len, compress(chunks, compression, 1)))
    assert all(0 <= place <= wire.wire[-1] for place in places)


@given(st.lists(st.binary(max_size=50), max_size=30), st.integers(1, 70))
def test_reblocked_against_slices(chunks: list[bytes], size: int) -> None:
    data = b"".join(chunks)
    assert list(reblocked(chunks, size)) == [
        data[start : start + size] for start in range(0, len(data), size)
    ]
