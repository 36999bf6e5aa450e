"""Media types of OCI (image-spec v1.1, media-types.md) and of Docker (distribution, manifest v2 schema 2)."""

from __future__ import annotations

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar"

INDEXES = frozenset({OCI_INDEX, DOCKER_INDEX})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
_LAYERS = (OCI_LAYER, OCI_FOREIGN_LAYER, DOCKER_LAYER, DOCKER_FOREIGN_LAYER)
_SUFFIXES = {"": "uncompressed", "+gzip": "gzip", ".gzip": "gzip", "+zstd": "zstd", ".zstd": "zstd"}


def layer_compression(media_type: str) -> str | None:
    """``gzip``, ``zstd`` or ``uncompressed``, as the media type of a layer says; None for what is no layer."""
    for base in _LAYERS:
        if media_type.startswith(base):
            return _SUFFIXES.get(media_type[len(base) :])
    return None


def is_foreign(media_type: str) -> bool:
    """Whether the layer is one that registries do not hold (non-distributable)."""
    return media_type.startswith((OCI_FOREIGN_LAYER, DOCKER_FOREIGN_LAYER))


def with_compression(media_type: str, compression: str) -> str:
    """The media type of the same layer in another compression (``gzip``, ``zstd``, ``uncompressed``).

    Docker has no zstd type; its layers become OCI ones there.
    """
    docker = media_type.startswith("application/vnd.docker.")
    if compression == "uncompressed":
        return DOCKER_LAYER if docker else OCI_LAYER
    if compression == "gzip":
        return DOCKER_LAYER + ".gzip" if docker else OCI_LAYER + "+gzip"
    return OCI_LAYER + "+zstd"
