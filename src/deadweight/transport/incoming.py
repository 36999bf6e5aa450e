"""A blob on its way into a destination: counted, hashed and compared with what was expected."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from deadweight.errors import DigestMismatch
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest


def receive(
    chunks: Iterator[bytes], write: Callable[[bytes], object], media_type: str, expected: Descriptor | None
) -> Descriptor:
    """Writes all `chunks` and returns what they were.

    With `expected`, raises `DigestMismatch` as soon as they are longer, or at the end when they are others; what was
    written by then is for the caller to remove.
    """
    algorithm = expected.digest.algorithm if expected else "sha256"
    digest = hashlib.new(algorithm)
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if expected and size > expected.size:
            problem = f"the content goes on after its {expected.size} bytes"
            raise DigestMismatch(str(expected.digest), problem)
        digest.update(chunk)
        write(chunk)
    received = Descriptor(media_type, Digest(f"{algorithm}:{digest.hexdigest()}"), size)
    if expected and size != expected.size:
        raise DigestMismatch(str(expected.digest), f"has {size} bytes instead of {expected.size}")
    if expected and received.digest != expected.digest:
        raise DigestMismatch(str(expected.digest), f"the content has another digest, {received.digest}")
    return received
