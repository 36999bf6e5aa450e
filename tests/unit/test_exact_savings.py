"""What ``--exact`` measures, against really compressing a layer with and without the entries."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from backports import zstd

from deadweight.accounting.recompress import exact_savings, ranges_of
from deadweight.errors import DigestMismatch
from deadweight.image import Image, open_image
from deadweight.indexing import index_image
from deadweight.layer.compress import Compression, compress
from deadweight.layer.index import LayerIndex
from services.images import sample_image, tar, write_layout

WORDS = [bytes(random.Random(seed).randbytes(7).hex(), "ascii") for seed in range(800)]


def text(seed: int, size: int) -> bytes:
    """Something like text: it compresses to a third or so."""
    choose = random.Random(seed)
    return b" ".join(choose.choices(WORDS, k=size // 15))


BASE = {f"usr/share/doc/{n}": text(n, 40_000 + 997 * n) for n in range(60)} | {
    f"usr/lib/{n}.so": random.Random(n).randbytes(150_000) for n in range(10)
}
TOP = {"srv/app": text(99, 3_000_000), "srv/.wh.old": b""}


@contextmanager
def opened(folder: Path, compression: str) -> Iterator[tuple[Image, tuple[LayerIndex, ...]]]:
    write_layout(folder, sample_image((BASE, TOP), compression=compression))
    with open_image(f"oci:{folder}") as image:
        yield image, index_image(image)


def numbers(index: LayerIndex, prefix: str) -> list[int]:
    return [number for number, entry in enumerate(index.entries) if entry.path.startswith(prefix)]


def saved_in_one_stream(
    files: dict[str, bytes], index: LayerIndex, dropped: Collection[int], method: str
) -> int:
    raw = tar(files)
    kept = bytearray()
    position = 0
    for start, end in ranges_of(index, dropped):
        kept += raw[position:start]
        position = end
    kept += raw[position:]
    return len(one_stream(raw, method)) - len(one_stream(bytes(kept), method))


def one_stream(data: bytes, method: str) -> bytes:
    return zstd.compress(data, 3) if method == "zstd" else b"".join(compress([data], Compression("gzip"), 1))


@pytest.mark.parametrize("compression", ["gzip", "zstd", "uncompressed"])
def test_the_difference_is_the_real_one(tmp_path: Path, compression: str) -> None:
    method = "gzip" if compression == "uncompressed" else compression
    with opened(tmp_path / "image", compression) as (image, indexes):
        scattered = numbers(indexes[0], "usr/share/doc/")[::7]
        removals: dict[str, dict[int, Collection[int]]] = {
            "docs": {0: numbers(indexes[0], "usr/share/doc")},
            "libraries": {0: numbers(indexes[0], "usr/lib")},
            "scattered": {0: scattered},
            "one": {0: scattered[:1]},
            "all": {0: range(len(indexes[0].entries)), 1: range(len(indexes[1].entries))},
            "nothing": {},
            "empty": {0: []},
        }
        savings = exact_savings(image, indexes, removals, threads=2)
        assert list(savings) == list(removals)
        assert savings["nothing"] == savings["empty"] == 0
        for name in ("docs", "libraries", "scattered", "one"):
            real = saved_in_one_stream(BASE, indexes[0], removals[name][0], method)
            # Dropping bytes moves all that follow within the compressor's own blocks, by chance up or down.
            assert savings[name] == pytest.approx(real, rel=0.03, abs=1500), name
        both = sum(
            saved_in_one_stream(files, index, range(len(index.entries)), method)
            for files, index in zip((BASE, TOP), indexes, strict=True)
        )
        assert savings["all"] == pytest.approx(both, rel=0.03)


def test_threads_do_not_change_it(tmp_path: Path) -> None:
    with opened(tmp_path / "image", "gzip") as (image, indexes):
        removals = {
            "docs": {0: numbers(indexes[0], "usr/share/doc")},
            "app": {1: numbers(indexes[1], "srv/app")},
        }
        first, *others = (exact_savings(image, indexes, removals, threads=threads) for threads in (1, 2, 7))
        assert all(other == first for other in others)
        alone = exact_savings(image, indexes, {"app": removals["app"]}, threads=2)
        assert alone["app"] == first["app"]


def test_ranges_join_neighbours(tmp_path: Path) -> None:
    with opened(tmp_path / "image", "gzip") as (_, indexes):
        index = indexes[1]
        starts = [entry.start for entry in index.entries]
        assert ranges_of(index, [1, 0]) == [(starts[0], starts[2])]
        assert ranges_of(index, [0, 2, 2]) == [(starts[0], starts[1]), (starts[2], index.tar_size)]
        assert ranges_of(index, []) == []


def test_a_layer_that_is_not_what_it_says_is_an_error(tmp_path: Path) -> None:
    with opened(tmp_path / "image", "gzip") as (image, indexes):
        blob = tmp_path / "image" / "blobs" / "sha256" / image.layers[0].descriptor.digest.hex
        other = tmp_path / "image" / "blobs" / "sha256" / image.layers[1].descriptor.digest.hex
        blob.write_bytes(other.read_bytes())
        with pytest.raises(DigestMismatch):
            exact_savings(image, indexes, {"docs": {0: [1, 2]}}, threads=2)
