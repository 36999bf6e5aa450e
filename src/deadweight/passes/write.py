"""Writing an image of which some names stay: each layer is read once, and what does not change keeps its bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deadweight.copying.documents import with_layers
from deadweight.errors import UsageError
from deadweight.image import Image
from deadweight.indexing import SILENT, Progress
from deadweight.layer.compress import Compression, available_threads
from deadweight.layer.index import LayerIndex
from deadweight.oci import strict_json
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document
from deadweight.passes.carried import CarriedContents
from deadweight.passes.documents import with_diff_ids, with_labels
from deadweight.passes.filtering import Plan, plan_image
from deadweight.passes.layers import LayerResult, LayerWriter
from deadweight.passes.staying import Kept
from deadweight.transport.base import Destination
from deadweight.tree.merge import Merged

NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Written:
    """An image that was written."""

    digest: Digest
    """Of its manifest."""
    layers: tuple[LayerResult, ...]
    """One for each layer of the original, base first."""
    wire: int
    """The stored bytes of its layers: what a pull moves, where they are compressed."""
    unpacked: int
    """The content bytes of all files of its layers."""
    files: int
    """The regular files of its merged tree, hard links counted."""


def write_filtered(
    image: Image,
    indexes: Sequence[LayerIndex],
    merged: Merged,
    kept: Kept,
    replaced: Mapping[str, bytes],
    destination: Destination,
    *,
    compression: Compression | None = None,
    keep_layers: int = 0,
    threads: int | None = None,
    labels: Mapping[str, str] = NO_LABELS,
    progress: Progress = SILENT,
) -> Written:
    """Writes `image` to `destination` so that it shows what is `kept` of its `merged` tree, and commits it.

    `indexes` are those of its layers. `replaced` has new contents of regular files that stay, by their real path; one
    that lies in a kept base layer stays as it is. The first `keep_layers` layers keep their bytes, and all that is
    visible of them stays. A layer that loses nothing keeps its bytes; others are compressed as they were, or with
    `compression`. Where that is given, every layer that gets smaller by it is compressed anew. The config gets `labels`
    if any layer changes. The same input gives the same bytes.

    Raises `DeadweightError`; nothing is then under the wanted name.
    """
    if compression is not None and compression.method not in destination.compressions:
        stored = " or ".join(sorted(destination.compressions))
        problem = f"stores layers {stored} only, not as {compression.method}"
        raise UsageError(destination.reference, problem, "choose another compression or destination")
    plan = plan_image(image.reference, indexes, merged, kept, replaced, keep_layers)
    with CarriedContents() as carried:
        writer = LayerWriter(
            image, destination, compression, threads or available_threads(), progress, carried
        )
        layers = tuple(
            writer.write(layer, index, plan, base=layer.position < keep_layers)
            for layer, index in zip(image.layers, indexes, strict=True)
        )
    return _commit(image, destination, plan, layers, labels)


def _commit(
    image: Image,
    destination: Destination,
    plan: Plan,
    layers: tuple[LayerResult, ...],
    labels: Mapping[str, str],
) -> Written:
    config = with_diff_ids(image.config_document, [layer.diff_id for layer in layers])
    if labels and not all(layer.unchanged for layer in layers):
        config = with_labels(config, labels)
    written = [layer.written for layer in layers if layer.written is not None]
    described = replace(image.manifest.config, digest=config.descriptor.digest, size=config.descriptor.size)
    manifest = replace(image.manifest, config=described)
    original = image.document
    if described != image.manifest.config:
        original = Document.of(strict_json.canonical(manifest.to_json()), manifest.media_type)
    document = with_layers(original, manifest, written, destination.manifest_types)
    destination.put_document(config)
    destination.commit(document, image.platform)
    return Written(
        digest=document.descriptor.digest,
        layers=layers,
        wire=sum(layer.size for layer in written),
        unpacked=sum(part.unpacked for part in plan.layers),
        files=sum(node.is_file for node in plan.staying.leaves.values()),
    )
