"""A layer read once: inflated, verified, indexed and digested at the same time, on two threads.

One thread reads the stored bytes, digests and inflates them; the caller's scans the tar stream and digests the files. The
digest of the uncompressed layer is computed by whichever would wait for the other. Between them lie a few buffers, no
more: memory does not grow with the layer.
"""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from deadweight.errors import InvalidLayer, LimitExceeded
from deadweight.layer.collect import Collector
from deadweight.layer.decompress import UNCOMPRESSED, Decoder, DecodingError, Rewound, decoder, sniff
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.layer.ring import Ring
from deadweight.layer.scanner import Scanner
from deadweight.layer.stored import Progress, StoredLayer, require_digest, tar_limit
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest

GRAIN = 16 << 10
"""Between two pairs of offsets that are noted lie at least so many stored bytes, and where they come in larger reads, more."""


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
    reader = _Reader(stream, descriptor, progress)
    # Of an uncompressed layer the blob is the layer: its digest, which is checked, serves for both.
    hasher = hashlib.new(diff_id.algorithm) if reader.compressed or descriptor.digest != diff_id else None
    with reader.started(Ring(hasher)) as pieces:
        scanner = Scanner(pieces, collectors, reader.subject)
        scanner.scan()
    if hasher is not None:
        require_digest(reader.subject, "the uncompressed layer has", hasher, diff_id)
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


class _Reader:
    """The thread that reads and inflates, and what it finds out."""

    def __init__(self, stream: BinaryIO, descriptor: Descriptor, progress: Progress | None) -> None:
        self._size = descriptor.size
        self._progress = progress
        self._tar_marks = array("Q", [0])
        self._wire_marks = array("Q", [0])
        self._read_before = 0
        self._stopped = False
        self._stored = StoredLayer(stream, descriptor, self._on_read)
        head = Rewound(self._stored)
        self.compression = sniff(head.head)
        self._decoder: Decoder = decoder(self.compression, head)

    @property
    def subject(self) -> str:
        return self._stored.subject

    @property
    def compressed(self) -> bool:
        return self.compression != UNCOMPRESSED

    @property
    def tar_size(self) -> int:
        """The uncompressed bytes so far."""
        return self._decoder.produced

    @contextmanager
    def started(self, ring: Ring) -> Iterator[Iterator[memoryview]]:
        """The uncompressed layer in pieces, read while the block runs. At its end all of it has been digested, too."""
        thread = threading.Thread(target=self._fill, args=(ring,), name="inflate", daemon=True)
        thread.start()
        try:
            yield ring.pieces()
        finally:
            self._stopped = True
            ring.stop()
            thread.join()
        ring.digest_rest()

    def wire_map(self) -> WireMap:
        """The pairs that were noted, with the ends of both streams."""
        if len(self._tar_marks) > 1 and self._wire_marks[-1] >= self._size:
            self._tar_marks.pop()
            self._wire_marks.pop()
        if self._tar_marks[-1] == self.tar_size:
            self._wire_marks[-1] = self._size
        else:
            self._tar_marks.append(self.tar_size)
            self._wire_marks.append(self._size)
        return WireMap(self._tar_marks, self._wire_marks)

    def _fill(self, ring: Ring) -> None:
        """Runs on the thread of its own."""
        try:
            limit = tar_limit(self._size)
            while not self._stopped and (piece := self._filled(ring.empty())):
                if self.tar_size > limit:
                    raise LimitExceeded(self.subject, f"expands to more than {limit} bytes: it may be a bomb")
                ring.put(piece)
            if not self._stopped:  # what is left may be endless
                self._stored.verify()
            ring.end()
        except DecodingError as error:
            ring.end(InvalidLayer(self.subject, str(error), offset=self.tar_size))
        except BaseException as error:  # noqa: BLE001 - carried over to the scanning thread, which raises it
            ring.end(error)

    def _filled(self, buffer: memoryview) -> memoryview:
        """As much of `buffer` as the layer fills."""
        filled = 0
        while filled < len(buffer) and (count := self._decoder.readinto(buffer[filled:])):
            filled += count
        return buffer[:filled]

    def _on_read(self, stored: int) -> None:
        """The decoder has read on, up to `stored` bytes: what it had read before is in what it has produced."""
        before, self._read_before = self._read_before, stored
        if before - self._wire_marks[-1] >= GRAIN and self.tar_size > self._tar_marks[-1]:
            self._tar_marks.append(self.tar_size)
            self._wire_marks.append(before)
        if self._progress is not None:
            self._progress(stored)
