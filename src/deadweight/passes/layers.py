"""Layers written after their plans, each read once; what does not change keeps its bytes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from deadweight.copying.documents import converted_layer
from deadweight.errors import UsageError
from deadweight.image import Image, Layer
from deadweight.indexing import SILENT, Progress
from deadweight.layer.compress import Compression, compress
from deadweight.layer.cursor import Cursor
from deadweight.layer.decompress import GZIP, UNCOMPRESSED, ZSTD, decoded
from deadweight.layer.gzip_blocks import reblocked
from deadweight.layer.index import LayerIndex
from deadweight.layer.reader import LayerReader
from deadweight.oci import media_types
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.passes.carried import CarriedContents
from deadweight.passes.filtering import Plan
from deadweight.passes.rewrite import rewritten
from deadweight.passes.steps import LayerPlan
from deadweight.transport.base import Destination

_PIECE = 1 << 20
_IN_MEMORY = 8 << 20
_STRONGER = {GZIP: (6, 9), ZSTD: (12, 19), UNCOMPRESSED: ()}
"""Levels for a layer that the usual one makes larger than it was."""


@dataclass(frozen=True, slots=True)
class LayerResult:
    """What became of one layer."""

    original: Descriptor
    written: Descriptor | None
    """None for a layer of which nothing was left."""
    diff_id: Digest | None
    entries: int
    """How many it had."""
    entries_kept: int
    """How many it has."""

    @property
    def unchanged(self) -> bool:
        """Whether it has the bytes that it had."""
        return self.written is not None and self.written.digest == self.original.digest


class LayerWriter:
    """Layers on their way into a destination, base first. `carried` holds contents between them."""

    def __init__(
        self,
        image: Image,
        destination: Destination,
        compression: Compression | None,
        threads: int,
        progress: Progress,
        carried: CarriedContents,
    ) -> None:
        self._image = image
        self._destination = destination
        self._compression = compression
        self._threads = threads
        self._progress = progress
        self._carried = carried

    def write(self, layer: Layer, index: LayerIndex, image_plan: Plan, *, base: bool) -> LayerResult:
        """Writes what the plan makes of `layer`; one of the `base` keeps its bytes. Where it would be larger than it was,
        and may stay as it was, the plan is changed.

        Raises `UsageError` for a base layer that the destination does not store as it is.
        """
        old, plan = layer.descriptor, image_plan.layers[layer.position]
        self._progress.start(f"layer {layer.position + 1} of {len(self._image.layers)}", old.size)
        if not plan.steps and not base:
            if plan.carried:
                for _ in self._tar(layer, index, plan):
                    pass
            return LayerResult(old, None, None, len(index.entries), 0)
        method = media_types.layer_compression(old.media_type) or index.compression
        stored = method in self._destination.compressions
        if base and not stored:
            problem = f"takes no {method} layers, so that base layers cannot stay as they are"
            raise UsageError(self._destination.reference, problem, "choose another destination")
        same = stored and plan.unchanged(index.entries)
        if base or (same and self._compression is None):
            written, diff_id = self._moved(old), layer.diff_id
        else:
            compression = self._compression or Compression(method if stored else self._fallback)
            written, diff_id = self._rewritten(layer, index, image_plan, compression, stored)
        entries_kept = len(image_plan.layers[layer.position].steps)
        return LayerResult(old, written, diff_id, len(index.entries), entries_kept)

    @property
    def _fallback(self) -> str:
        return UNCOMPRESSED if UNCOMPRESSED in self._destination.compressions else GZIP

    def _moved(self, layer: Descriptor) -> Descriptor:
        """Puts the blob of `layer` into the destination, unless it is there."""
        if media_types.is_foreign(layer.media_type) or self._destination.holds(layer, self._image.source):
            return layer
        with self._image.source.blob(layer) as stream:
            pieces = _pieces(stream, self._progress)
            return self._destination.put_blob(pieces, layer.media_type, layer)

    def _rewritten(
        self, layer: Layer, index: LayerIndex, image_plan: Plan, compression: Compression, stored: bool
    ) -> tuple[Descriptor, Digest]:
        """Writes the layer anew; where it would be larger than it was, as it was, if it can be `stored` and may stay so."""
        old, plan = layer.descriptor, image_plan.layers[layer.position]
        hasher = hashlib.sha256()
        with _spool() as spool, _spool() as smaller:
            with closing(self._tar(layer, index, plan)) as tar:
                size = self._compressed(_hashed(tar, hasher), compression, spool)
            if size > old.size and stored and plan.unchanged(index.entries):
                return self._moved(old), layer.diff_id
            if size > old.size and stored and image_plan.restore(layer.position):
                return self._moved(old), layer.diff_id
            if size > old.size:
                compression, spool = self._stronger(compression, (spool, smaller), old.size)
            spool.seek(0)
            media_type = media_types.with_compression(old.media_type, compression.method)
            blob = self._destination.put_blob(_pieces(cast("BinaryIO", spool), SILENT), media_type, None)
        return converted_layer(old, blob, compression), Digest(f"sha256:{hasher.hexdigest()}")

    def _tar(self, layer: Layer, index: LayerIndex, plan: LayerPlan) -> Generator[bytes, None, None]:
        """The uncompressed bytes that the plan makes of the layer, all of which is read and verified."""
        progress = self._progress.advance_to
        with (
            self._image.open_layer(layer) as stream,
            LayerReader(stream, layer.descriptor, layer.diff_id, progress) as reader,
        ):
            pieces = reader.pieces()
            cursor = Cursor(pieces, reader.subject)
            tar = rewritten(cursor, layer.position, index.entries, plan, self._carried)
            yield from reblocked(tar, _PIECE)
            for _ in pieces:
                pass
            reader.verify()

    def _compressed(self, tar: Iterator[bytes], compression: Compression, into: IO[bytes]) -> int:
        with closing(compress(tar, compression, self._threads)) as stored:
            return sum(into.write(piece) for piece in stored)

    def _stronger(
        self, compression: Compression, spools: tuple[IO[bytes], IO[bytes]], limit: int
    ) -> tuple[Compression, IO[bytes]]:
        """The layer in the first of `spools` compressed harder, until it has no more than `limit` bytes or no level is left."""
        best, other = spools
        size = best.seek(0, 2)
        for level in _STRONGER[compression.method]:
            if size <= limit:
                break
            best.seek(0)
            other.seek(0)
            other.truncate()
            harder = Compression(compression.method, level)
            tar = decoded(cast("BinaryIO", best), "a layer of our own")
            found = self._compressed(tar, harder, other)
            if found < size:
                best, other, size, compression = other, best, found, harder
        return compression, best


def _spool() -> IO[bytes]:
    return cast("IO[bytes]", tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="deadweight-"))


def _hashed(pieces: Iterator[bytes], hasher: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        hasher.update(piece)
        yield piece


def _pieces(stream: BinaryIO, progress: Progress) -> Iterator[bytes]:
    done = 0
    while piece := stream.read(_PIECE):
        yield piece
        done += len(piece)
        progress.advance_to(done)
