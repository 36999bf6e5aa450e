"""Manifests and indexes rewritten for layers that changed. What did not change keeps its bytes, and so its digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deadweight.layer.compress import Compression
from deadweight.oci import media_types, strict_json
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.manifest import Document, Index, Manifest

CODEC = "dev.deadweight.codec"
"""The annotation of a layer that tells which codec wrote it: another version may write other bytes."""

# These describe the compressed bytes of eStargz and zstd:chunked; with other bytes they are wrong.
_ABOUT_BYTES = (
    "containerd.io/snapshot/stargz/",
    "io.containers.estargz.",
    "io.github.containers.zstd-chunked.",
)
_OCI_TYPES = {
    media_types.DOCKER_INDEX: media_types.OCI_INDEX,
    media_types.DOCKER_MANIFEST: media_types.OCI_MANIFEST,
    media_types.DOCKER_CONFIG: media_types.OCI_CONFIG,
    media_types.DOCKER_LAYER: media_types.OCI_LAYER,
    media_types.DOCKER_LAYER + ".gzip": media_types.OCI_LAYER + "+gzip",
    media_types.DOCKER_LAYER + ".zstd": media_types.OCI_LAYER + "+zstd",
    media_types.DOCKER_FOREIGN_LAYER: media_types.OCI_FOREIGN_LAYER,
    media_types.DOCKER_FOREIGN_LAYER + ".gzip": media_types.OCI_FOREIGN_LAYER + "+gzip",
}


def converted_layer(old: Descriptor, written: Descriptor, compression: Compression) -> Descriptor:
    """The descriptor of `old` after it was stored as `written`: its annotations, but those about its bytes."""
    annotations = {
        name: value for name, value in old.annotations.items() if not name.startswith((*_ABOUT_BYTES, CODEC))
    }
    if written.media_type.startswith(media_types.OCI_LAYER) and compression.codec:
        annotations[CODEC] = compression.codec
    return replace(written, annotations=annotations)


def with_layers(
    document: Document, manifest: Manifest, layers: Sequence[Descriptor], expected: frozenset[str]
) -> Document:
    """The manifest with other `layers`; config and annotations stay.

    All of Docker's manifest becomes OCI where `expected`, the types of manifests that a place wants, lacks it, or for a
    layer that was made zstd, which it does not know.
    """
    changed = tuple(layers) != manifest.layers
    docker = manifest.media_type == media_types.DOCKER_MANIFEST
    zstd = any(media_types.layer_compression(layer.media_type) == "zstd" for layer in layers)
    if docker and (manifest.media_type not in expected or (changed and zstd)):
        return _canonical(
            replace(
                manifest,
                media_type=media_types.OCI_MANIFEST,
                config=_as_oci(manifest.config),
                layers=tuple(_as_oci(layer) for layer in layers),
            )
        )
    return _canonical(replace(manifest, layers=tuple(layers))) if changed else document


def with_manifests(document: Document, index: Index, manifests: Sequence[Descriptor]) -> Document:
    """The index with other `manifests`; its annotations stay. With OCI's among them, Docker's list becomes OCI's too."""
    if tuple(manifests) == index.manifests:
        return document
    oci = any(entry.media_type.startswith("application/vnd.oci.") for entry in manifests)
    media_type = media_types.OCI_INDEX if oci else index.media_type
    return _canonical(replace(index, media_type=media_type, manifests=tuple(manifests)))


def attested(entry: Descriptor) -> str | None:
    """The digest of the image that the entry of an index is an attestation of (BuildKit's storage specification).

    None for an entry that is none; empty where it does not say.
    """
    if entry.annotations.get("vnd.docker.reference.type") != "attestation-manifest":
        return None
    return entry.annotations.get("vnd.docker.reference.digest", "")


def _canonical(changed: Manifest | Index) -> Document:
    return Document.of(strict_json.canonical(changed.to_json()), changed.media_type)


def _as_oci(descriptor: Descriptor) -> Descriptor:
    return replace(descriptor, media_type=_OCI_TYPES.get(descriptor.media_type, descriptor.media_type))
