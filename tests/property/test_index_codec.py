"""Every index that can be encoded comes back as it was."""

from __future__ import annotations

from array import array
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deadweight.layer.entry import FILE, KINDS, Entry
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.layer.index_codec import NotDecodable, decode, encode
from deadweight.oci.digest import Digest

# As tar readers make them: whatever bytes without NUL, surrogate-escaped.
NAMES = st.binary(max_size=20).map(lambda raw: raw.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1)
SMALL = st.integers(0, 1 << 40)
XATTRS = st.lists(st.tuples(NAMES, st.binary(max_size=9)), max_size=2).map(tuple)
FACTS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def entry(kind: str) -> st.SearchStrategy[Entry]:
    digest = st.binary(min_size=32, max_size=32) if kind == FILE else st.just(b"")
    device = st.tuples(SMALL, SMALL)
    return st.builds(
        Entry,
        NAMES,
        st.just(kind),
        SMALL,
        SMALL,
        NUMBERS,
        NUMBERS,
        NUMBERS,
        NAMES,
        digest,
        SMALL,
        XATTRS,
        device,
    )


ENTRIES = st.lists(st.sampled_from(sorted(KINDS)).flatmap(entry), max_size=8)
OFFSETS = st.lists(SMALL, unique=True, max_size=6).map(sorted)
INDEXES = st.builds(
    LayerIndex,
    st.binary().map(Digest.of),
    st.binary().map(Digest.of),
    SMALL,
    SMALL,
    st.sampled_from(("gzip", "zstd", "uncompressed")),
    ENTRIES,
    st.builds(
        WireMap,
        OFFSETS.map(lambda values: array("Q", values)),
        OFFSETS.map(lambda values: array("Q", values)),
    ),
    st.dictionaries(NAMES, st.dictionaries(st.integers(0, 99), FACTS, max_size=3), max_size=3),
)


@given(INDEXES)
def test_round_trip(index: LayerIndex) -> None:
    assert decode(encode(index)) == index


@given(INDEXES, st.data())
def test_bytes_of_others_are_refused_or_read_never_worse(index: LayerIndex, data: st.DataObject) -> None:
    raw = bytearray(encode(index))
    for position in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=3)):
        raw[position] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(bytes(raw))
    except NotDecodable:
        return
    assert isinstance(decoded, LayerIndex)


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    try:
        decode(noise)
    except NotDecodable:
        return
    raise AssertionError("noise was taken for an index")
