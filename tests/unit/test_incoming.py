from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import repeat

import pytest

from deadweight.errors import DigestMismatch
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.transport.incoming import receive


def received(chunks: Iterator[bytes], expected: Descriptor | None) -> tuple[Descriptor, bytes]:
    written = bytearray()
    return receive(chunks, written.extend, "type", expected), bytes(written)


def test_bytes_are_described_by_what_they_are() -> None:
    descriptor, written = received(iter([b"a", b"", b"bc"]), None)
    assert written == b"abc"
    assert descriptor == Descriptor("type", Digest.of(b"abc"), 3)


def test_the_expected_algorithm_counts() -> None:
    digest = Digest("sha512:" + hashlib.sha512(b"abc").hexdigest())
    assert received(iter([b"abc"]), Descriptor("", digest, 3))[0].digest == digest


@pytest.mark.parametrize(
    ("data", "problem"), [(b"ab", "has 2 bytes instead of 3"), (b"abd", "the content has another digest")]
)
def test_other_bytes_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(DigestMismatch, match=problem):
        received(iter([data]), Descriptor("", Digest.of(b"abc"), 3))


def test_an_endless_stream_is_refused_at_its_size() -> None:
    with pytest.raises(DigestMismatch, match="goes on after its 3 bytes"):
        received(repeat(b"abc"), Descriptor("", Digest.of(b"abc"), 3))
