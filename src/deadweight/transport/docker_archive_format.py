"""What `docker load` and skopeo read: layers and config by their digests, and manifest.json.

Source: Docker image-spec v1.2, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from deadweight.errors import InvalidReference, Unsupported
from deadweight.layer.decompress import UNCOMPRESSED
from deadweight.oci import media_types, strict_json
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, Manifest, parse_document
from deadweight.transport.complete import require_complete
from deadweight.transport.tar_writer import ImageArchive

MANIFEST = "manifest.json"

_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
)


class DockerArchiveFormat:
    """A docker archive written to `file`, of one image with `tags` (see `repo_tag`). Its manifest is not stored.

    The same layers in the same order give the same bytes.
    """

    compressions = frozenset({UNCOMPRESSED})
    manifest_types = media_types.MANIFESTS

    def __init__(self, file: BinaryIO, tags: Sequence[str]) -> None:
        self._tags = list(tags)
        self._archive = ImageArchive(file)

    def holds(self, descriptor: Descriptor) -> bool:
        return self._archive.has(_layer_name(descriptor.digest))

    def put_blob(self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None) -> Descriptor:
        return self._archive.add_blob(chunks, _layer_name, media_type, expected)

    def put_document(self, document: Document) -> None:
        known = media_types.MANIFESTS | media_types.INDEXES
        if document.descriptor.media_type not in known:
            self._archive.add(_config_name(document.descriptor.digest), document.raw)

    def finish(self, root: Document, platform: Platform | None) -> None:
        manifest = parse_document(root)
        if not isinstance(manifest, Manifest):
            raise Unsupported("docker-archive", "holds one platform", "choose one with --platform")
        require_complete(root, self._has, "docker-archive")
        for layer in manifest.layers:
            if not self._has(layer.digest):
                problem = f"cannot leave out the foreign layer {layer.digest}"
                raise Unsupported("docker-archive", problem, "copy to oci: or a registry instead")
        item = {
            "Config": _config_name(manifest.config.digest),
            "RepoTags": self._tags,
            "Layers": [_layer_name(layer.digest) for layer in manifest.layers],
        }
        self._archive.add(MANIFEST, strict_json.canonical([item]))
        self._archive.finish()

    def _has(self, digest: Digest) -> bool:
        return self._archive.has(_layer_name(digest)) or self._archive.has(_config_name(digest))


def _layer_name(digest: Digest) -> str:
    return f"{digest.hex}.tar"


def _config_name(digest: Digest) -> str:
    return f"{digest.hex}.json"


def repo_tag(name: str) -> str:
    """`name` with a tag, without which `docker load` refuses it. Raises `InvalidReference`."""
    if not _NAME.fullmatch(name):
        raise InvalidReference(name, "is no name of an image", "write NAME:TAG, in lower case")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
