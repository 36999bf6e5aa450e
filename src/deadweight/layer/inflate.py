"""A layer's uncompressed bytes, verified as they go by."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import BinaryIO, cast

from deadweight.layer.decompress import decoded
from deadweight.layer.stored import Progress, StoredLayer, require_digest, require_within, tar_limit
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest


def inflated(
    stream: BinaryIO, descriptor: Descriptor, diff_id: Digest, progress: Progress | None = None
) -> Generator[bytes, None, None]:
    """The uncompressed bytes of the layer in `stream`, whose stored bytes must be what `descriptor` says.

    Whoever uses them has to take them all: at the end `DigestMismatch` is raised where the blob is not that of
    `descriptor` or did not expand to `diff_id`. Raises `InvalidLayer` for a broken stream, `LimitExceeded` for a bomb.
    """
    stored = StoredLayer(stream, descriptor, progress)
    subject = stored.subject
    digest = hashlib.new(diff_id.algorithm)
    limit = tar_limit(descriptor.size)
    size = 0
    for piece in decoded(cast("BinaryIO", stored), subject):
        size += len(piece)
        require_within(subject, size, limit)
        digest.update(piece)
        yield piece
    stored.verify()
    require_digest(subject, "the uncompressed layer has", digest, diff_id)
