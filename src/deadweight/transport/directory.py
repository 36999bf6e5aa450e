"""``dir:DIR``: skopeo's folder of one image: manifest.json, and each blob under its digest's hex digits.

Source: containers/image, docs of the dir transport (containers-transports(5)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from deadweight.errors import InvalidReference, NotFound
from deadweight.oci import media_types
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, parse_document
from deadweight.transport.base import COMPRESSIONS, Access, Destination, Source
from deadweight.transport.complete import require_complete
from deadweight.transport.files import Folder, os_errors
from deadweight.transport.incoming import receive
from deadweight.transport.location import exists
from deadweight.transport.staging import StagedFolder, is_staged
from deadweight.transport.stored_image import StoredImage

MANIFEST = "manifest.json"
VERSION = "version"
VERSION_FILE = b"Directory Transport Version: 1.1\n"

_PART = re.compile(r"[0-9a-f]{64,128}(\.manifest\.json)?|signature-[0-9]+")


def open_source(location: str, access: Access) -> Source:
    """The image in the folder `location`. Raises `NotFound`, `InvalidDocument`."""
    files = Folder.at(Path(location))
    if not files.has(MANIFEST):
        raise NotFound(location, f"holds no image: it has no {MANIFEST}")
    raw = files.read(MANIFEST)

    def place(digest: Digest) -> str:
        # The manifests of an index lie beside it under names of their own.
        instance = f"{digest.hex}.manifest.json"
        return instance if files.has(instance) else digest.hex

    root = Document.of(raw, "")
    media_type = parse_document(root).media_type
    return StoredImage(f"dir:{location}", files, Document.of(raw, media_type), place)


def open_destination(location: str, access: Access) -> Destination:
    """The folder `location`, made if it is not there; an image in it is replaced."""
    return FolderDestination(Path(location))


class FolderDestination(Destination):
    """An image on its way into the folder `path`. manifest.json is replaced last, then the old image's blobs go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._replaced = _old_files(path)
        self._staged = StagedFolder(path)

    @property
    def reference(self) -> str:
        return f"dir:{self._path}"

    @property
    def compressions(self) -> frozenset[str]:
        return COMPRESSIONS

    def holds(self, descriptor: Descriptor, origin: Source) -> bool:
        return self._has(descriptor.digest)

    def put_blob(self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None) -> Descriptor:
        with self._staged.file("incoming") as file:
            received = receive(chunks, file.write, media_type, expected)
        self._staged.rename("incoming", received.digest.hex)
        return received

    def put_document(self, document: Document) -> None:
        require_complete(document, self._has, self.reference)
        manifest = document.descriptor.media_type in media_types.MANIFESTS | media_types.INDEXES
        suffix = ".manifest.json" if manifest else ""
        self._staged.write(document.descriptor.digest.hex + suffix, document.raw)

    def commit(self, root: Document, platform: Platform | None = None) -> None:
        require_complete(root, self._has, self.reference)
        with os_errors(self.reference):
            (self._staged.path / f"{root.descriptor.digest.hex}.manifest.json").unlink(missing_ok=True)
            self._staged.write(VERSION, VERSION_FILE)
            self._staged.write(MANIFEST, root.raw)
            written = self._staged.publish(MANIFEST)
            for name in self._replaced - written:
                (self._path / name).unlink(missing_ok=True)

    def close(self) -> None:
        self._staged.discard()

    def _has(self, digest: Digest) -> bool:
        return (self._staged.path / digest.hex).exists()


def _old_files(path: Path) -> frozenset[str]:
    """What an image in the folder `path` is made of. Raises `InvalidReference` where something else is there."""
    if not exists(str(path)):
        return frozenset()
    with os_errors(str(path)):
        names = {entry.name for entry in path.iterdir() if not is_staged(entry.name)}
    old = {name for name in names if _PART.fullmatch(name)}
    if names - old - {MANIFEST, VERSION}:
        problem = "is a folder of something else, and is not replaced"
        raise InvalidReference(str(path), problem, "name a new or an empty folder")
    return frozenset(old)
