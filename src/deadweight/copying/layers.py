"""Layers on their way from a source to a destination, each distinct one once."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from deadweight.copying.documents import converted_layer
from deadweight.copying.result import CONVERTED, FOREIGN, MOVED, REUSED, LayerCopy
from deadweight.indexing import Progress
from deadweight.layer.compress import Compression, compress
from deadweight.layer.inflate import inflated
from deadweight.oci import media_types
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.transport.base import Destination, Source

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Conversion:
    """Another compression for a layer that expands to `diff_id`."""

    diff_id: Digest
    compression: Compression


@dataclass(frozen=True, slots=True)
class Job:
    """A layer to be copied, as it is if `conversion` is None."""

    layer: Descriptor
    conversion: Conversion | None = None

    @property
    def key(self) -> tuple[bool, Digest]:
        """What makes a layer distinct: its bytes, or if they are to be made anew, what it expands to."""
        return (False, self.layer.digest) if self.conversion is None else (True, self.conversion.diff_id)


class LayerCopier:
    """Copies layers and remembers them."""

    def __init__(self, source: Source, destination: Destination, threads: int, progress: Progress) -> None:
        self._source = source
        self._destination = destination
        self._threads = threads
        self._progress = progress
        self._copies: dict[tuple[bool, Digest], LayerCopy] = {}

    @property
    def copies(self) -> tuple[LayerCopy, ...]:
        """One for each distinct layer, in order."""
        return tuple(self._copies.values())

    def copy(self, jobs: list[Job]) -> list[Descriptor]:
        """The descriptors of the layers in the destination, after they went there."""
        return [self._descriptor(job, f"layer {number} of {len(jobs)}") for number, job in enumerate(jobs, 1)]

    def _descriptor(self, job: Job, task: str) -> Descriptor:
        copy = self._copies.get(job.key)
        if copy is None:
            self._progress.start(task, job.layer.size)
            copy = self._copies[job.key] = self._copied(job)
        if job.conversion is None:
            return job.layer
        # The same layer may be described otherwise in another manifest.
        compression = job.conversion.compression
        media_type = media_types.with_compression(job.layer.media_type, compression.method)
        written = Descriptor(media_type, copy.result.digest, copy.result.size)
        return converted_layer(job.layer, written, compression)

    def _copied(self, job: Job) -> LayerCopy:
        layer = job.layer
        if media_types.is_foreign(layer.media_type):
            return LayerCopy(layer, layer, FOREIGN)
        if job.conversion is not None:
            return LayerCopy(layer, self._convert(layer, job.conversion), CONVERTED)
        if self._destination.holds(layer, self._source):
            return LayerCopy(layer, layer, REUSED)
        with self._source.blob(layer) as stream, closing(self._pieces(stream)) as pieces:
            self._destination.put_blob(pieces, layer.media_type, layer)
        return LayerCopy(layer, layer, MOVED)

    def _convert(self, layer: Descriptor, conversion: Conversion) -> Descriptor:
        compression = conversion.compression
        media_type = media_types.with_compression(layer.media_type, compression.method)
        with (
            self._source.blob(layer) as stream,
            closing(inflated(stream, layer, conversion.diff_id, self._progress.advance_to)) as tar,
            closing(compress(tar, compression, self._threads)) as stored,
        ):
            return self._destination.put_blob(stored, media_type, None)

    def _pieces(self, stream: BinaryIO) -> Generator[bytes, None, None]:
        read = 0
        while piece := stream.read(_PIECE):
            yield piece
            read += len(piece)
            self._progress.advance_to(read)
