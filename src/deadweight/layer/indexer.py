"""A layer read once: inflated, verified, indexed and digested at the same time, on two threads.

One thread reads the stored bytes and inflates them (`layer.reader`); the caller's scans the tar stream and digests the
files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from deadweight.layer.collect import Collector
from deadweight.layer.index import LayerIndex
from deadweight.layer.reader import LayerReader
from deadweight.layer.scanner import Scanner
from deadweight.layer.stored import Progress
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest


def index_layer(
    stream: BinaryIO,
    descriptor: Descriptor,
    diff_id: Digest,
    collectors: Sequence[Collector] = (),
    progress: Progress | None = None,
) -> LayerIndex:
    """The index of the layer in `stream`, whose stored bytes must be what `descriptor` says.

    Raises `DigestMismatch` where the blob is not that of `descriptor` or does not expand to `diff_id`, `InvalidLayer` for
    a broken stream, `LimitExceeded` for a bomb.
    """
    with LayerReader(stream, descriptor, diff_id, progress) as reader:
        scanner = Scanner(reader.pieces(), collectors, reader.subject)
        scanner.scan()
    reader.verify()
    return LayerIndex(
        digest=descriptor.digest,
        diff_id=diff_id,
        blob_size=descriptor.size,
        tar_size=reader.tar_size,
        compression=reader.compression,
        entries=scanner.entries,
        wire=reader.wire_map(),
        facts=scanner.facts,
    )
