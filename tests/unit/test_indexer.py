"""One layer from stored bytes to its index: verified, in bounded memory, whatever it is compressed with."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
import time
import tracemalloc
from collections.abc import Callable

import pytest
from backports import zstd

from deadweight.accounting.scripts import SCRIPTS
from deadweight.errors import DeadweightError, DigestMismatch, InvalidLayer, LimitExceeded
from deadweight.layer import ring
from deadweight.layer import stored as stored_layer
from deadweight.layer.collect import Fact
from deadweight.layer.index import LayerIndex
from deadweight.layer.indexer import index_layer
from deadweight.oci import media_types
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from layer_stacks import Item, tar_of

TAR = tar_of([Item("a", "f", b"1" * 5000), Item("b", "f", bytes(range(256)) * 5000), Item("c", "f", b"")])


def _skippable(data: bytes) -> bytes:
    return b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip" + zstd.compress(data)


STORED: dict[str, Callable[[bytes], bytes]] = {
    "uncompressed": lambda data: data,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "gzip of two members": lambda data: gzip.compress(data[:3000]) + gzip.compress(data[3000:]),
    "gzip and zeros": lambda data: gzip.compress(data) + bytes(100),
    "zstd": zstd.compress,
    "zstd of two frames": lambda data: zstd.compress(data[:3000]) + zstd.compress(data[3000:]),
    "zstd after a skippable frame": _skippable,
}


def index(
    stored: bytes, tar: bytes = TAR, *, size: int | None = None, digest: Digest | None = None
) -> LayerIndex:
    descriptor = Descriptor(
        media_types.OCI_LAYER, digest or Digest.of(stored), len(stored) if size is None else size
    )
    return index_layer(io.BytesIO(stored), descriptor, Digest.of(tar))


@pytest.mark.parametrize("how", STORED)
def test_the_same_index_from_every_compression(how: str) -> None:
    stored = STORED[how](TAR)
    result = index(stored)
    assert [(entry.path, entry.size) for entry in result.entries] == [("a", 5000), ("b", 1_280_000), ("c", 0)]
    assert result.entries[1].digest == hashlib.sha256(bytes(range(256)) * 5000).digest()
    assert result.tar_size == len(TAR)
    assert result.blob_size == len(stored)
    assert sum(result.wire_shares()) == len(stored)
    assert result.compression == how.split()[0]
    assert result.wire.at(0) == 0
    assert result.wire.at(len(TAR)) == len(stored)


@pytest.mark.parametrize("stored", [b"\xf7", b"\xf77", b"\x1f\x8b\x08", b"1234", b"\x28\xb5\x2f\xfd"])
def test_a_few_bytes_are_no_layer(stored: bytes) -> None:
    with pytest.raises(InvalidLayer):
        index(stored)


def test_an_empty_blob_is_an_empty_layer() -> None:
    assert index(b"", b"").entries == []


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_truncated_stream_is_told(how: str) -> None:
    stored = STORED[how](TAR)[:-50]
    with pytest.raises((InvalidLayer, DigestMismatch), match="truncated"):
        index(stored)


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_every_flipped_bit_is_found(how: str) -> None:
    good = STORED[how](TAR)
    for position in range(0, len(good), max(len(good) // 40, 1)):
        bad = bytearray(good)
        bad[position] ^= 0x10
        with pytest.raises(DeadweightError):
            index(bytes(bad), digest=Digest.of(good))


def test_another_blob_of_the_same_size_is_refused() -> None:
    other = tar_of(
        [Item("a", "f", b"2" * 5000), Item("b", "f", bytes(range(256)) * 5000), Item("c", "f", b"")]
    )
    with pytest.raises(DigestMismatch, match="has the digest"):
        index(other, digest=Digest.of(TAR))


def test_a_wrong_diff_id_is_refused() -> None:
    with pytest.raises(DigestMismatch, match="uncompressed layer"):
        index(gzip.compress(TAR), b"another tar")


def test_a_blob_longer_than_it_should_be_is_not_read_to_its_end() -> None:
    with pytest.raises(DigestMismatch, match="longer than the 100 bytes"):
        index(TAR, size=100)


def test_an_endless_blob_is_cut_at_its_size() -> None:
    class Endless(io.RawIOBase):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:] = bytes(len(buffer))
            return len(buffer)

    descriptor = Descriptor(media_types.OCI_LAYER, Digest.of(TAR), 1 << 20)
    with pytest.raises(DeadweightError):
        index_layer(Endless(), descriptor, Digest.of(TAR))  # type: ignore[arg-type]


def test_a_shorter_blob_is_told() -> None:
    with pytest.raises(DigestMismatch, match="truncated"):
        index(TAR, size=len(TAR) + 512)


def test_a_bomb_is_refused_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_layer, "MIN_TAR_LIMIT", 64 << 20)
    header = tar_of([Item("zeros", "f", b"")])[:512]
    size = 1 << 32
    block = bytearray(header)
    block[124:136] = b"%011o\0" % size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb", compresslevel=9) as stream:
        stream.write(bytes(block))
        for _ in range(200):
            stream.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(LimitExceeded, match="bomb"):
        index(bomb.getvalue())
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


def test_no_thread_is_left_behind_by_an_error() -> None:
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(DeadweightError):
            index(gzip.compress(b"\1" * (8 << 20)), b"")
    assert threading.active_count() == before


def test_an_error_does_not_wait_for_a_source_that_has_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    stalled, over = threading.Event(), threading.Event()

    class Stalling(io.BytesIO):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            count = super().readinto(buffer)
            if not count:
                stalled.set()
                waited_for.append(not over.wait(30))
            return count

    def fail(*_: object) -> Fact:
        assert stalled.wait(30)
        raise ZeroDivisionError

    waited_for: list[bool] = []
    monkeypatch.setattr(SCRIPTS, "collect", fail)
    tar = tar_of([Item("a.sh", "f", b"a"), Item("b", "f", bytes(4 << 20))])
    descriptor = Descriptor(media_types.OCI_LAYER, Digest.of(tar), len(tar))
    with pytest.raises(ZeroDivisionError):
        index_layer(Stalling(tar[: 3 << 20]), descriptor, Digest.of(tar), (SCRIPTS,))
    assert not waited_for
    over.set()
    for thread in threading.enumerate():
        if thread.name == "inflate":
            thread.join()


def test_an_error_of_the_source_reaches_the_caller() -> None:
    class Broken(io.RawIOBase):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            raise OSError(5, "Input/output error")

    descriptor = Descriptor(media_types.OCI_LAYER, Digest.of(TAR), len(TAR))
    with pytest.raises(OSError, match="Input/output"):
        index_layer(Broken(), descriptor, Digest.of(TAR))  # type: ignore[arg-type]


def test_a_gzip_header_without_end_is_told() -> None:
    with pytest.raises(InvalidLayer, match="corrupt"):
        index(b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 600_000)


def test_an_interrupted_digest_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between a digest and the word of it: the inflating thread must not wait for that word."""
    step = ring.SharedDigest.step
    main = threading.current_thread()

    def interrupted(digest: ring.SharedDigest) -> bool:
        if threading.current_thread() is main:
            digest._busy.acquire()  # as of a thread that is at it, and will never say that it is done
            raise KeyboardInterrupt
        return step(digest)

    class Slow(io.BytesIO):
        """A source that the scanning thread has to wait for."""

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            time.sleep(0.05)
            return super().readinto(buffer)

    monkeypatch.setattr(ring.SharedDigest, "step", interrupted)
    tar = tar_of([Item("large", "f", bytes(8 << 20))])
    descriptor = Descriptor(media_types.OCI_LAYER, Digest.of(tar), len(tar))
    with pytest.raises(KeyboardInterrupt):
        index_layer(Slow(tar), descriptor, Digest.of(tar))
    assert threading.active_count() == 1 or all(t.name != "inflate" for t in threading.enumerate())
