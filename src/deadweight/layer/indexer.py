"""A layer read once: inflated, verified, indexed and digested at the same time, on threads that release the GIL.

The stored bytes go through three hands: one thread reads and inflates, one computes the digests of the blob and of the
uncompressed layer, and the caller's scans the tar stream and digests the files. Between them lie a few pieces, no more:
memory does not grow with the layer.
"""

from __future__ import annotations

import hashlib
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import BinaryIO, cast

from deadweight.errors import DigestMismatch, InvalidLayer, LimitExceeded
from deadweight.layer.collect import Collector
from deadweight.layer.decompress import UNCOMPRESSED, Decoder, DecodingError, Rewound, decoder, sniff
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.layer.scanner import Scanner
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest

BUFFER = 512 << 10
RING = 8
"""Buffers of `BUFFER` uncompressed bytes each."""
STEP = 256 << 10
"""After how many uncompressed bytes the wire offset is noted."""
MIN_TAR_LIMIT = 4 << 30
MAX_RATIO = 100
"""A layer may expand to `MIN_TAR_LIMIT`, or to `MAX_RATIO` times its stored size where that is more."""

Progress = Callable[[int], None]
"""Told how many stored bytes have been read so far."""


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
    subject = f"layer {descriptor.digest}"
    reader = _Reader(stream, descriptor, diff_id, progress)
    with reader:
        scanner = Scanner(reader.pieces(), collectors, subject)
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


class _Reader:
    """The two threads behind a scan, and what they find out.

    The uncompressed layer goes through a ring of buffers. A buffer is filled again when the scan and the digest are both
    done with it; both take them in the same order.
    """

    def __init__(
        self, stream: BinaryIO, descriptor: Descriptor, diff_id: Digest, progress: Progress | None
    ) -> None:
        self._subject = f"layer {descriptor.digest}"
        self._descriptor = descriptor
        self._diff_id = diff_id
        self._stored = _Stored(stream, descriptor, self._blob_chunk, progress)
        self._blob_hash = hashlib.new(descriptor.digest.algorithm)
        self._tar_hash = hashlib.new(diff_id.algorithm)
        self._to_scan: SimpleQueue[memoryview | BaseException | None] = SimpleQueue()
        self._to_digest: SimpleQueue[tuple[hashlib._Hash, bytes | memoryview] | None] = SimpleQueue()
        self._scanned: SimpleQueue[bytearray] = SimpleQueue()
        self._digested: SimpleQueue[None] = SimpleQueue()
        for _ in range(RING):
            self._scanned.put(bytearray(BUFFER))
            self._digested.put(None)
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._inflate, name="inflate", daemon=True),
            threading.Thread(target=self._digest, name="digest", daemon=True),
        ]
        self._tar_marks = array("Q", [0])
        self._wire_marks = array("Q", [0])
        self.compression = UNCOMPRESSED
        self.tar_size = 0

    def __enter__(self) -> _Reader:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._scanned.put(bytearray())
        self._digested.put(None)
        for thread in self._threads:
            thread.join()

    def pieces(self) -> Iterator[memoryview]:
        """The uncompressed layer; a piece is valid until the next is asked for. Raises what the reading thread met."""
        while True:
            piece = self._to_scan.get()
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            yield piece
            self._scanned.put(cast("bytearray", piece.obj))

    def verify(self) -> None:
        """Raises `DigestMismatch` unless blob and layer are what they should be."""
        self._threads[1].join()
        hasher = self._tar_hash if self._is_plain else self._blob_hash
        _require(self._subject, "", hasher, self._descriptor.digest)
        _require(self._subject, "the uncompressed layer ", self._tar_hash, self._diff_id)

    def wire_map(self) -> WireMap:
        """The marks, with the ends of both streams."""
        if self._tar_marks[-1] == self.tar_size:
            self._wire_marks[-1] = self._descriptor.size
        else:
            self._mark(self._descriptor.size)
        return WireMap(self._tar_marks, self._wire_marks)

    @property
    def _is_plain(self) -> bool:
        # Of an uncompressed layer the blob is the layer: one digest serves for both.
        return self.compression == UNCOMPRESSED and self._descriptor.digest == self._diff_id

    def _inflate(self) -> None:
        try:
            head = Rewound(self._stored)
            self.compression = sniff(head.head)
            self._fill_buffers(decoder(self.compression, head))
            if self._stopped:
                return  # what is left may be endless
            self._stored.require_end()
            self._to_scan.put(None)
        except DecodingError as error:
            self._to_scan.put(InvalidLayer(self._subject, str(error), offset=self.tar_size))
        except BaseException as error:  # noqa: BLE001 - carried over to the scanning thread, which raises it
            self._to_scan.put(error)
        finally:
            self._to_digest.put(None)

    def _fill_buffers(self, inflater: Decoder) -> None:
        limit = max(MIN_TAR_LIMIT, self._descriptor.size * MAX_RATIO)
        more = True
        while more and not self._stopped:
            buffer = memoryview(self._scanned.get())
            self._digested.get()
            filled = 0
            while filled < len(buffer) and more:
                count = inflater.readinto(buffer[filled : filled + STEP])
                more = count > 0
                filled += count
                self.tar_size += count
                self._mark(self._stored.offset)
            if self.tar_size > limit:
                raise LimitExceeded(self._subject, f"expands to more than {limit} bytes: it may be a bomb")
            if filled:
                self._to_digest.put((self._tar_hash, buffer[:filled]))
                self._to_scan.put(buffer[:filled])

    def _mark(self, stored: int) -> None:
        if self.tar_size > self._tar_marks[-1]:
            self._tar_marks.append(self.tar_size)
            self._wire_marks.append(stored)

    def _blob_chunk(self, chunk: bytes) -> None:
        if not self._is_plain:
            self._to_digest.put((self._blob_hash, chunk))

    def _digest(self) -> None:
        while (job := self._to_digest.get()) is not None:
            hasher, data = job
            hasher.update(data)
            if hasher is self._tar_hash:
                self._digested.put(None)


class _Stored:
    """The stored bytes, counted, passed on for their digest, and never more of them than there should be."""

    def __init__(
        self,
        stream: BinaryIO,
        descriptor: Descriptor,
        chunk: Callable[[bytes], None],
        progress: Progress | None,
    ) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._chunk = chunk
        self._progress = progress
        self.offset = 0

    def readinto(self, buffer: memoryview, /) -> int:
        chunk = self._stream.read(len(buffer))
        self.offset += len(chunk)
        if self.offset > self._descriptor.size:
            raise DigestMismatch(
                self._subject, f"is longer than the {self._descriptor.size} bytes it should have"
            )
        buffer[: len(chunk)] = chunk
        self._chunk(chunk)
        if self._progress is not None:
            self._progress(self.offset)
        return len(chunk)

    def require_end(self) -> None:
        """Raises `DigestMismatch` where the decoder stopped before the blob did, or the blob before its size."""
        while self.readinto(memoryview(bytearray(1 << 16))):
            pass
        if self.offset < self._descriptor.size:
            problem = f"has {self.offset} bytes instead of {self._descriptor.size}: it is truncated"
            raise DigestMismatch(self._subject, problem)

    @property
    def _subject(self) -> str:
        return f"layer {self._descriptor.digest}"


def _require(subject: str, what: str, hasher: hashlib._Hash, expected: Digest) -> None:
    found = f"{hasher.name}:{hasher.hexdigest()}"
    if found != expected:
        raise DigestMismatch(subject, f"{what}has the digest {found} instead of {expected}".strip())
