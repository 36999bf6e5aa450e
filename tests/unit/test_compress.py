"""Compression: what names mean, and that the bytes are right, deterministic and readable by everybody."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import require_program
from deadweight.errors import InvalidLayer, UsageError
from deadweight.layer.compress import Compression, blocks, compress, measure
from deadweight.layer.gzip_blocks import BLOCK, reblocked

GZIP = Compression("gzip")
ZSTD = Compression("zstd")
PLAIN = Compression("uncompressed")
ALL = (GZIP, Compression("gzip", 1), Compression("gzip", 9), ZSTD, Compression("zstd", 1), PLAIN)
SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7)


def sample(size: int) -> bytes:
    """Bytes that compress somewhat, with repetitions across block borders."""
    words = random.Random(1).randbytes(40_000)
    return (words * (size // len(words) + 1))[:size]


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def written(data: bytes, compression: Compression, threads: int = 2, piece: int = BLOCK) -> bytes:
    return b"".join(compress(pieces(data, piece), compression, threads))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gzip", Compression("gzip")),
        ("gzip:1", Compression("gzip", 1)),
        ("gzip:9", Compression("gzip", 9)),
        ("zstd", Compression("zstd")),
        ("zstd:19", Compression("zstd", 19)),
        ("uncompressed", Compression("uncompressed")),
        ("keep", None),
    ],
)
def test_parse(text: str, expected: Compression | None) -> None:
    assert Compression.parse(text) == expected
    assert str(expected or "keep") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gz",
        "GZIP",
        "gzip:",
        "gzip:0",
        "gzip:10",
        "gzip:-1",
        "gzip:²",
        "gzip:1:2",
        "zstd:20",
        "zstd: 3",
        "zstd:1e1",
        "keep:1",
        "uncompressed:1",
        "uncompressed:",
        "gzip:" + "9" * 5000,
        "x" * 5000,
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Compression.parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_wrong_level_names_the_right_ones() -> None:
    with pytest.raises(UsageError, match=r"zstd has no level '25'; choose one from 1 to 19"):
        Compression.parse("zstd:25")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("compression", ALL, ids=str)
def test_everybody_reads_it(compression: Compression, size: int) -> None:
    data = sample(size)
    stored = written(data, compression)
    if compression.method == "gzip":
        assert gzip.decompress(stored) == data
        assert _piped([require_program("gzip"), "-dc"], stored) == data
    elif compression.method == "zstd":
        assert _piped([require_program("zstd"), "-dc"], stored) == data
    else:
        assert stored == data


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("compression", ALL, ids=str)
def test_threads_and_pieces_do_not_change_the_bytes(compression: Compression, size: int) -> None:
    data = sample(size)
    expected = written(data, compression, threads=1)
    for threads, piece in ((1, 77_777), (2, BLOCK), (3, 300_001), (8, 2 * BLOCK + 3), (1000, BLOCK)):
        assert written(data, compression, threads, piece) == expected


def test_zstd_is_the_same_on_many_jobs() -> None:
    # libzstd's jobs at its default level are 8 MiB long.
    data = random.Random(2).randbytes(1 << 20) * 20
    assert len({hashlib.sha256(written(data, ZSTD, threads)).digest() for threads in (1, 2, 5)}) == 1


def test_gzip_is_one_member_without_name_and_time() -> None:
    stored = written(sample(2 * BLOCK), GZIP)
    assert stored[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    assert stored.count(stored[:10]) == 1
    assert stored[-4:] == (2 * BLOCK).to_bytes(4, "little")


def test_blocks_see_what_is_before_them() -> None:
    # 30 KB that do not compress, again and again: only the dictionary can find them across a border.
    words = random.Random(3).randbytes(30_000)
    data = words * 100
    alone = len(written(data[:BLOCK], GZIP))
    assert len(written(data[: 2 * BLOCK], GZIP)) - alone < 15_000 < alone


def test_higher_levels_are_smaller() -> None:
    text = Path(argparse.__file__).read_bytes()
    for compression in ("gzip", "zstd"):
        sizes = [len(written(text, Compression(compression, level))) for level in (1, 9)]
        assert sizes[1] < sizes[0]


def test_no_level_is_the_default_one() -> None:
    assert written(sample(BLOCK), GZIP) == written(sample(BLOCK), Compression("gzip", GZIP.effective_level))
    assert written(sample(BLOCK), ZSTD) == written(sample(BLOCK), Compression("zstd", 3))


def test_the_codec_is_named_with_its_version_and_level() -> None:
    assert Compression("gzip", 7).codec.startswith("zlib-ng 2.")
    assert Compression("gzip", 7).codec.endswith(", level 7")
    assert ZSTD.codec.startswith("zstd 1.")
    assert PLAIN.codec == ""


@pytest.mark.parametrize("compression", ALL, ids=str)
def test_blocks_stand_for_all_bytes(compression: Compression) -> None:
    data = sample(2 * BLOCK + 5)
    parts = list(blocks(pieces(data, 99_999), compression, 2))
    assert sum(part.size for part in parts) == len(data)
    assert b"".join(part.data for part in parts) == written(data, compression)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("compression", ALL, ids=str)
def test_measure_maps_the_whole_layer(compression: Compression, size: int) -> None:
    wire = measure(pieces(sample(size), BLOCK), compression, 2)
    assert (wire.tar[0], wire.wire[0]) == (0, 0) if size else (wire.tar[0] == 0)
    assert wire.tar[-1] == size
    assert wire.wire[-1] == len(written(sample(size), compression))
    for offsets in (wire.tar, wire.wire):
        assert list(offsets) == sorted(set(offsets))


def test_measure_tells_dense_from_sparse() -> None:
    data = random.Random(4).randbytes(4 * BLOCK) + bytes(4 * BLOCK)
    wire = measure(pieces(data, BLOCK), GZIP, 2)
    assert wire.at(4 * BLOCK) > 0.99 * wire.wire[-1]


@pytest.mark.parametrize("compression", ALL, ids=str)
def test_errors_of_the_input_pass_through(compression: Compression) -> None:
    def broken() -> Iterator[bytes]:
        yield sample(3 * BLOCK)
        raise InvalidLayer("layer", "breaks off")

    with pytest.raises(InvalidLayer, match="breaks off"):
        for _ in compress(broken(), compression, 2):
            pass
    assert not _threads()


def test_stopping_early_leaves_no_threads() -> None:
    stored = compress(pieces(sample(20 * BLOCK), BLOCK), GZIP, 3)
    next(stored)
    next(stored)
    stored.close()
    assert not _threads()


def test_input_is_taken_as_it_is_needed() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(BLOCK)

    stored = compress(endless(), GZIP, 2)
    for _ in range(50):
        next(stored)
    assert taken <= 50 + 12 * 2 + 2
    stored.close()


def test_reblocked() -> None:
    data = sample(1000)
    assert [len(piece) for piece in reblocked(pieces(data, 7), 300)] == [300, 300, 300, 100]
    assert b"".join(reblocked([b"", data[:650], b"", data[650:]], 300)) == data
    assert list(reblocked([b"", b""], 300)) == []
    assert [len(piece) for piece in reblocked([data[:600]], 300)] == [300, 300]


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("gzip")]


def _piped(command: list[str], data: bytes) -> bytes:
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout
