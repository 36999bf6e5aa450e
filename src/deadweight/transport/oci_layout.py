"""``oci:DIR[:REF]``: an OCI image layout in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deadweight.errors import DigestMismatch, InvalidReference
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document
from deadweight.transport.base import COMPRESSIONS, Access, Destination, Source
from deadweight.transport.complete import require_complete
from deadweight.transport.files import Folder, os_errors, pieces
from deadweight.transport.incoming import receive
from deadweight.transport.layout import layout_source, parse_index, read_index
from deadweight.transport.layout_files import (
    EMPTY_INDEX,
    INDEX,
    LAYOUT,
    LAYOUT_FILE,
    MANIFEST_TYPES,
    blob_path,
    split_destination,
    split_source,
    with_entry,
)
from deadweight.transport.location import exists
from deadweight.transport.staging import StagedFolder, folder_lock, is_staged


def open_source(location: str, access: Access) -> Source:
    """The image at `location`; REF is a reference name or ``@DIGEST``.

    Raises `NotFound`, `InvalidDocument`, and `InvalidReference` where several images are there and none is named.
    """
    path, name = split_source(location)
    return layout_source(Folder.at(path), name, f"oci:{location}")


def open_destination(location: str, access: Access) -> Destination:
    """The layout at `location`, made if it is not there; other images in it stay. REF is the image's name in it."""
    path, name = split_destination(location)
    return LayoutDestination(path, name)


class LayoutDestination(Destination):
    """An image called `name` on its way into the layout at `path`.

    Blobs are added first, index.json is replaced last. Whatever interrupts it, the layout holds the old images or the
    old and the new.
    """

    def __init__(self, path: Path, name: str) -> None:
        _require_layout(path)
        self._path = path
        self._name = name
        self._staged = StagedFolder(path)

    @property
    def reference(self) -> str:
        return f"oci:{self._path}{':' if self._name else ''}{self._name}"

    @property
    def compressions(self) -> frozenset[str]:
        return COMPRESSIONS

    @property
    def manifest_types(self) -> frozenset[str]:
        return MANIFEST_TYPES

    def holds(self, descriptor: Descriptor, origin: Source) -> bool:
        """Whether the blob is there; one from before is read to see that it is what its name says."""
        place = blob_path(descriptor.digest)
        return (self._staged.path / place).exists() or _sound(Folder(self._path), place, descriptor)

    def put_blob(self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None) -> Descriptor:
        with self._staged.file("incoming") as file:
            received = receive(chunks, file.write, media_type, expected)
        self._staged.rename("incoming", blob_path(received.digest))
        return received

    def put_document(self, document: Document) -> None:
        require_complete(document, self._has, self.reference)
        self._staged.write(blob_path(document.descriptor.digest), document.raw)

    def commit(self, root: Document, platform: Platform | None = None) -> None:
        self.put_document(root)
        if self._staged.new:
            self._stage_index(EMPTY_INDEX, root, platform)
            self._staged.publish(INDEX)
            return
        _require_layout(self._path)  # it may be there only now
        # From reading the list to replacing it no other writer may come between.
        with folder_lock(self._path):
            self._stage_index(_index_of(Folder(self._path)), root, platform)
            self._staged.publish(INDEX)

    def close(self) -> None:
        self._staged.discard()

    def _stage_index(self, index: bytes, root: Document, platform: Platform | None) -> None:
        self._staged.write(LAYOUT, LAYOUT_FILE)
        self._staged.write(INDEX, with_entry(index, root.descriptor, platform, self._name))

    def _has(self, digest: Digest) -> bool:
        place = blob_path(digest)
        return (self._staged.path / place).is_file() or (self._path / place).is_file()


def _require_layout(path: Path) -> None:
    """Raises where `path` is a folder with something else in it, or a layout that is broken."""
    if not exists(str(path)):
        return
    with os_errors(str(path)):
        # What an interrupted first image may have left is no obstacle.
        others = {entry.name for entry in path.iterdir() if not is_staged(entry.name)} - {LAYOUT, "blobs"}
    if INDEX in others:
        _index_of(Folder(path))
        return
    if not others:
        return
    raise InvalidReference(
        str(path), "is no OCI layout, and is not replaced", "name a new or an empty folder"
    )


def _index_of(files: Folder) -> bytes:
    """index.json of a layout, or an empty one where there is none yet. Raises where it is broken."""
    if not files.has(INDEX):
        return EMPTY_INDEX
    index = read_index(files)
    parse_index(index, files.subject)
    return index.raw


def _sound(files: Folder, place: str, descriptor: Descriptor) -> bool:
    if not files.has(place) or files.size(place) != descriptor.size:
        return False
    with files.open(place) as stream:
        try:
            receive(pieces(stream), lambda _: None, descriptor.media_type, descriptor)
        except DigestMismatch:
            return False
    return True
