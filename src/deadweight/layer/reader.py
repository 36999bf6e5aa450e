"""A layer read once: inflated and verified on a thread of its own, while the caller's uses what comes out.

The digests of the blob and of the uncompressed layer are computed by whichever of the two would wait for the other. Between
them lie a few buffers, no more: memory does not grow with the layer.
"""

from __future__ import annotations

import hashlib
import threading
import weakref
from array import array
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import BinaryIO

from deadweight.errors import InvalidLayer
from deadweight.layer import ring
from deadweight.layer.decompress import UNCOMPRESSED, Decoder, DecodingError, Rewound, decoder, sniff
from deadweight.layer.index import WireMap
from deadweight.layer.stored import Progress, StoredLayer, require_digest, require_within, tar_limit
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest

BUFFER, BUFFERS = 2 << 20, 6
"""The uncompressed bytes between the two threads."""
GRAIN = 16 << 10
"""Between two pairs of offsets that are noted lie at least so many stored bytes."""
GRACE = 1.0
"""Seconds that the reading thread is waited for when it is not needed any more."""


class _Marks:
    """Pairs of offsets, in the uncompressed and in the stored bytes, noted as they come."""

    def __init__(self) -> None:
        self._tar = array("Q", [0])
        self._wire = array("Q", [0])

    def note(self, tar: int, wire: int) -> None:
        """So many stored bytes are in so many uncompressed ones. Pairs that are too near to each other are left out."""
        if wire - self._wire[-1] >= GRAIN and tar > self._tar[-1]:
            self._tar.append(tar)
            self._wire.append(wire)

    def map(self, tar: int, wire: int) -> WireMap:
        """The pairs, with the sizes of both streams as the last."""
        while len(self._tar) > 1 and (self._tar[-1] >= tar or self._wire[-1] >= wire):
            self._tar.pop()
            self._wire.pop()
        if tar:
            self._tar.append(tar)
            self._wire.append(wire)
        else:
            self._wire[-1] = wire
        return WireMap(self._tar, self._wire)


class LayerReader:
    """The thread that reads and inflates, and what it finds out. A context manager: leaving it ends the thread."""

    def __init__(
        self, stream: BinaryIO, descriptor: Descriptor, diff_id: Digest, progress: Progress | None
    ) -> None:
        self._size = descriptor.size
        self._diff_id = diff_id
        self._marks = _Marks()
        self._hasher = hashlib.new(diff_id.algorithm)
        digest = ring.SharedDigest(self._hasher)
        self._stored = StoredLayer(stream, descriptor, progress, (digest,))
        self.subject = self._stored.subject
        self._produced: Callable[[], int] = int  # nothing, while there is no decoder
        # A proxy, since the decoder would hold what holds it: buffers are to go with the reader, at once.
        head = Rewound(weakref.proxy(self))
        self.compression = sniff(head.head)
        inflater = decoder(self.compression, head)
        self._produced = lambda: inflater.produced
        # Of an uncompressed layer the blob is the layer: its digest, which is checked, serves for both.
        self._same = self.compression == UNCOMPRESSED and descriptor.digest == diff_id
        self._digest = digest
        self._waiting = (digest, self._stored.digest)
        self._ring = ring.Ring(BUFFERS, BUFFER, None if self._same else digest, self._waiting)
        self._filled: SimpleQueue[memoryview | BaseException | None] = SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, args=(inflater,), name="inflate", daemon=True)

    @property
    def tar_size(self) -> int:
        """The uncompressed bytes so far."""
        return self._produced()

    def __enter__(self) -> LayerReader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._ring.close()
        self._stored.close()
        # It ends at once, unless it is blocked in reading: then the stream's `close` will end it.
        self._thread.join(GRACE)

    def pieces(self) -> Iterator[memoryview]:
        """The uncompressed layer; a piece is valid until the next is asked for. Raises what the reading thread met."""
        while (piece := ring.take(self._filled, self._waiting)) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
            self._ring.used(piece)

    def verify(self) -> None:
        """When all is read: raises `DigestMismatch` unless the uncompressed layer is what it should be."""
        if not self._same:
            self._digest.finish()
            require_digest(self.subject, "the uncompressed layer has", self._hasher, self._diff_id)

    def wire_map(self) -> WireMap:
        return self._marks.map(self.tar_size, self._size)

    def readinto(self, buffer: memoryview, /) -> int:
        """The stored bytes, for the decoder. One that wants more has used up what it got before."""
        self._marks.note(self.tar_size, self._stored.offset)
        return self._stored.readinto(buffer)

    def _run(self, inflater: Decoder) -> None:
        """What the thread does."""
        try:
            self._inflate(inflater)
            self._filled.put(None)
        except DecodingError as error:
            self._filled.put(InvalidLayer(self.subject, str(error), offset=self.tar_size))
        except BaseException as error:  # noqa: BLE001 - carried over to the scanning thread, which raises it
            self._filled.put(error)

    def _inflate(self, inflater: Decoder) -> None:
        limit = tar_limit(self._size)
        while piece := self._fill(inflater, self._ring.empty()):
            require_within(self.subject, self.tar_size, limit)
            self._ring.filled(piece)
            self._filled.put(piece)
        if not self._stopped:  # what is left may be endless
            self._stored.verify()
            self._digest.finish()  # while the other thread scans what is left

    def _fill(self, inflater: Decoder, buffer: memoryview) -> memoryview:
        """As much of `buffer` as the layer fills; nothing when the scan has stopped."""
        filled = 0
        while not self._stopped and filled < len(buffer):
            count = inflater.readinto(buffer[filled:])
            if not count:
                break
            filled += count
        return buffer[:filled]
