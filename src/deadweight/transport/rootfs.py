"""``rootfs:PATH``: a root file system, a folder or a tar archive of one, as an image of one layer."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from deadweight.errors import Unsupported
from deadweight.layer.decompress import sniff
from deadweight.oci import media_types, strict_json
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, Manifest
from deadweight.transport.base import Access, Destination, Source, Traits
from deadweight.transport.files import Files, open_range, open_regular, pieces
from deadweight.transport.incoming import receive
from deadweight.transport.stored_image import StoredImage
from deadweight.transport.tar_files import inflating

_LAYER = "the root file system"
_NEVER = "1970-01-01T00:00:00Z"


def open_source(location: str, access: Access) -> Source:
    """The root file system at `location` as an image.

    Its layer is the archive as it is, compressed or not; of a folder it is an archive made deterministically. Its
    config is made: it names this machine's platform, since a root file system does not say its own. Raises
    `NotFound`, `TransportError`, and `InvalidLayer` for a broken compressed archive.
    """
    path = Path(location)
    if path.is_dir():
        from deadweight.transport.rootfs_archive import archive_of  # an archive needs none of it

        descriptor = archive_of(path)
    else:
        descriptor, size = open_regular(path)
        if not size:
            os.close(descriptor)
            raise Unsupported(location, "is empty", "expected a tar archive of a root file system")
    archive = _Archive(descriptor, location)
    try:
        return _image(archive, f"rootfs:{location}")
    except BaseException:
        archive.close()
        raise


def open_destination(location: str, access: Access) -> Destination:
    """Raises `Unsupported`: a root file system is merged from layers, which no transport does."""
    remedy = "write it elsewhere, and merge it from there: deadweight copy IMAGE rootfs:FILE"
    raise Unsupported(f"rootfs:{location}", "takes no layers", remedy)


class _Archive:
    """The archive as the one file of an image; owns `descriptor`."""

    def __init__(self, descriptor: int, subject: str) -> None:
        self._descriptor = descriptor
        self._subject = subject

    @property
    def subject(self) -> str:
        return self._subject

    def has(self, name: str) -> bool:
        return name == _LAYER

    def size(self, name: str) -> int:
        return os.fstat(self._descriptor).st_size

    def open(self, name: str) -> BinaryIO:
        return open_range(os.dup(self._descriptor), 0, self.size(name), self._subject)

    def read(self, name: str) -> bytes:
        raise Unsupported(self._subject, f"holds no document {name!r}")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _image(archive: Files, reference: str) -> Source:
    layer, diff_id = _layer(archive)
    platform = Platform.of_host()
    config = {
        **platform.to_json(),
        "config": {},
        "created": _NEVER,
        "history": [{"created": _NEVER, "created_by": "a root file system"}],
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    }
    config_document = Document.of(strict_json.canonical(config), media_types.OCI_CONFIG)
    manifest = Manifest(media_types.OCI_MANIFEST, config_document.descriptor, (layer,))
    root = Document.of(strict_json.canonical(manifest.to_json()), media_types.OCI_MANIFEST)
    made = {document.descriptor.digest: document for document in (root, config_document)}
    return StoredImage(reference, archive, root, lambda _: _LAYER, Traits(original_manifest=False), made)


def _layer(archive: Files) -> tuple[Descriptor, Digest]:
    """The archive as a layer, and its diff ID: it is read once, or if compressed twice."""
    with archive.open(_LAYER) as stream:
        compression = sniff(stream.read(4))
    media_type = media_types.with_compression(media_types.OCI_LAYER, compression)
    with archive.open(_LAYER) as stream:
        layer = receive(pieces(stream), lambda _: None, media_type, None)
    if compression == "uncompressed":
        return layer, layer.digest
    digest = hashlib.sha256()
    with archive.open(_LAYER) as stream:
        for piece in inflating(stream, layer.size, archive.subject):
            digest.update(piece)
    return layer, Digest(f"sha256:{digest.hexdigest()}")
