"""``oci-archive:PATH[:REF]``: an OCI image layout in a tar archive, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.manifest import Document
from deadweight.transport.archive_destination import ArchiveDestination
from deadweight.transport.base import COMPRESSIONS, Access, Destination, Source
from deadweight.transport.complete import require_complete
from deadweight.transport.layout import layout_source
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
from deadweight.transport.staging import StagedFile
from deadweight.transport.tar_files import TarFiles
from deadweight.transport.tar_writer import ImageArchive


def open_source(location: str, access: Access) -> Source:
    """The image at `location`; REF is a reference name or ``@DIGEST``. Its members are read in place.

    Raises `NotFound`, `InvalidDocument`, and `InvalidReference` where several images are there and none is named.
    """
    path, name = split_source(location)
    files = TarFiles.at(path)
    try:
        return layout_source(files, name, f"oci-archive:{location}")
    except BaseException:
        files.close()
        raise


def open_destination(location: str, access: Access) -> Destination:
    """The archive at `location`, which is replaced when the image is there; REF is the image's name in it."""
    path, name = split_destination(location)
    file = StagedFile(path)
    return ArchiveDestination(f"oci-archive:{location}", file, OciArchiveFormat(file.file, name))


class OciArchiveFormat:
    """An OCI layout written to `file` as a tar archive: the blobs as they come, index.json and oci-layout after them."""

    compressions = COMPRESSIONS
    manifest_types = MANIFEST_TYPES

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._archive = ImageArchive(file)
        self._name = name

    def holds(self, descriptor: Descriptor) -> bool:
        return self._archive.has(blob_path(descriptor.digest))

    def put_blob(self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None) -> Descriptor:
        return self._archive.add_blob(chunks, blob_path, media_type, expected)

    def put_document(self, document: Document) -> None:
        require_complete(document, lambda digest: self._archive.has(blob_path(digest)), "oci-archive")
        self._archive.add(blob_path(document.descriptor.digest), document.raw)

    def finish(self, root: Document, platform: Platform | None) -> None:
        self.put_document(root)
        self._archive.add(INDEX, with_entry(EMPTY_INDEX, root.descriptor, platform, self._name))
        self._archive.add(LAYOUT, LAYOUT_FILE)
        self._archive.finish()
