"""The layers of an opened image, indexed: from the cache where that is safe, else in one pass each."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Collection, Sequence
from typing import Protocol

from deadweight.errors import DigestMismatch, LimitExceeded, NotFound
from deadweight.image import Image, Layer
from deadweight.layer.collect import Collector, signature
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.layer.indexer import index_layer
from deadweight.layer.stored import MAX_RATIO, require_within
from deadweight.oci.digest import Digest

MAX_ENTRIES = 4_000_000
"""The most entries of all layers of an image."""
MAX_UNCOMPRESSED = 16 << 30
"""An image may expand to this, or to `MAX_RATIO` times its stored size where that is more."""

_READ = 1 << 20


class Progress(Protocol):
    """Told how far a long job is."""

    def start(self, task: str, total: int) -> None:
        """A part of the job with `total` bytes begins."""

    def advance_to(self, done: int) -> None:
        """So many bytes of the part are done."""


class Cache(Protocol):
    """Indexes kept from earlier runs, by digest."""

    def get(self, digest: Digest, signature: str) -> LayerIndex | None: ...

    def put(self, index: LayerIndex, signature: str) -> None: ...


class Silent:
    """No progress to be seen."""

    def start(self, task: str, total: int) -> None: ...

    def advance_to(self, done: int) -> None: ...


class NoCache:
    """Nothing is kept."""

    def get(self, digest: Digest, signature: str) -> LayerIndex | None:
        return None

    def put(self, index: LayerIndex, signature: str) -> None: ...


SILENT = Silent()
NO_CACHE = NoCache()


def index_image(
    image: Image,
    collectors: Sequence[Collector] = (),
    *,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> tuple[LayerIndex, ...]:
    """The index of each layer of `image`, base first; a layer that stands twice is read once.

    A foreign layer that the source does not hold is `missing`. Raises `DeadweightError`.
    """
    indexes: dict[Digest, LayerIndex] = {}
    for layer in image.layers:
        if layer.descriptor.digest not in indexes:
            progress.start(f"layer {layer.position + 1} of {len(image.layers)}", layer.descriptor.size)
            indexes[layer.descriptor.digest] = _index(image, layer, collectors, cache, progress)
            _require_bounds(image.reference, indexes.values())
    return tuple(indexes[layer.descriptor.digest] for layer in image.layers)


def _index(
    image: Image, layer: Layer, collectors: Sequence[Collector], cache: Cache, progress: Progress
) -> LayerIndex:
    try:
        return _read(image, layer, collectors, cache, progress)
    except NotFound:
        if layer.foreign:
            return _missing(layer)
        raise


def _read(
    image: Image, layer: Layer, collectors: Sequence[Collector], cache: Cache, progress: Progress
) -> LayerIndex:
    wanted = signature(collectors)
    cached = cache.get(layer.descriptor.digest, wanted)
    if cached is not None and cached.diff_id == layer.diff_id:
        # The cache speaks of a digest. Whether the blob at hand has that digest only its bytes can tell, unless the
        # store that holds it has checked.
        if not image.source.traits.verified:
            _verify(image, layer, progress)
        return cached
    with image.open_layer(layer) as stream:
        index = index_layer(stream, layer.descriptor, layer.diff_id, collectors, progress.advance_to)
    cache.put(index, wanted)
    return index


def _require_bounds(reference: str, indexes: Collection[LayerIndex]) -> None:
    """Raises `LimitExceeded` where layers that are each within bounds are too much together."""
    entries = sum(len(index.entries) for index in indexes)
    if entries > MAX_ENTRIES:
        raise LimitExceeded(reference, f"holds more than {MAX_ENTRIES} entries in {len(indexes)} layers")
    limit = max(MAX_UNCOMPRESSED, MAX_RATIO * sum(index.blob_size for index in indexes))
    require_within(reference, sum(index.tar_size for index in indexes), limit)


def _verify(image: Image, layer: Layer, progress: Progress) -> None:
    """Raises `DigestMismatch` unless the stored bytes of `layer` are what its descriptor says."""
    descriptor = layer.descriptor
    hasher = hashlib.new(descriptor.digest.algorithm)
    buffer = memoryview(bytearray(_READ))
    done = 0
    with image.open_layer(layer) as stream:
        while count := stream.readinto(buffer):  # type: ignore[attr-defined]
            done += count
            if done > descriptor.size:
                break
            hasher.update(buffer[:count])
            progress.advance_to(done)
    found = f"{descriptor.digest.algorithm}:{hasher.hexdigest()}"
    if done != descriptor.size:
        raise DigestMismatch(f"layer {descriptor.digest}", f"has {done} bytes instead of {descriptor.size}")
    if found != descriptor.digest:
        raise DigestMismatch(f"layer {descriptor.digest}", f"has the digest {found} instead")


def _missing(layer: Layer) -> LayerIndex:
    size = layer.descriptor.size
    nothing = WireMap(array("Q", [0]), array("Q", [0]))
    return LayerIndex(layer.descriptor.digest, layer.diff_id, size, 0, "", (), nothing, {}, missing=True)
