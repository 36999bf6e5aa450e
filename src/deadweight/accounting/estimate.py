"""Wire sizes of layers that a source holds uncompressed: compressed as `copy` would by default, and thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deadweight.image import Image, Layer
from deadweight.indexing import Progress
from deadweight.layer.compress import DEFAULT, available_threads, measure
from deadweight.layer.decompress import decoded
from deadweight.layer.index import LayerIndex


def with_estimates(image: Image, indexes: Sequence[LayerIndex], progress: Progress) -> tuple[LayerIndex, ...]:
    """`indexes` with the wire maps and sizes of our default compression where the wire size is unknown."""
    return tuple(
        index if index.missing or layer.wire_size is not None else _measured(image, layer, index, progress)
        for layer, index in zip(image.layers, indexes, strict=True)
    )


def _measured(image: Image, layer: Layer, index: LayerIndex, progress: Progress) -> LayerIndex:
    progress.start(f"compressing layer {layer.position + 1}", index.tar_size)
    with image.open_layer(layer) as stream:
        chunks = decoded(stream, f"layer {layer.descriptor.digest}")
        wire = measure(chunks, DEFAULT, available_threads())
    return replace(index, wire=wire, blob_size=wire.wire[-1])
