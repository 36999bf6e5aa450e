"""A destination that is one archive file, of whatever format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.manifest import Document
from deadweight.transport.base import Destination, Source
from deadweight.transport.files import os_errors
from deadweight.transport.staging import StagedFile


class ArchiveFormat(Protocol):
    """An image being written into an archive; see `Destination` for what the methods promise."""

    @property
    def compressions(self) -> frozenset[str]: ...

    @property
    def manifest_types(self) -> frozenset[str]: ...

    def holds(self, descriptor: Descriptor) -> bool: ...

    def put_blob(
        self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None
    ) -> Descriptor: ...

    def put_document(self, document: Document) -> None: ...

    def finish(self, root: Document, platform: Platform | None) -> None:
        """Completes the archive of the image whose manifest or index is `root`."""


class ArchiveDestination(Destination):
    """Writes `archive`, which goes into `file`, aside, and renames it on `commit`."""

    def __init__(self, reference: str, file: StagedFile, archive: ArchiveFormat) -> None:
        self._reference = reference
        self._file = file
        self._archive = archive

    @property
    def reference(self) -> str:
        return self._reference

    @property
    def compressions(self) -> frozenset[str]:
        return self._archive.compressions

    @property
    def manifest_types(self) -> frozenset[str]:
        return self._archive.manifest_types

    def holds(self, descriptor: Descriptor, origin: Source) -> bool:
        return self._archive.holds(descriptor)

    def put_blob(self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None) -> Descriptor:
        with os_errors(self._reference):
            return self._archive.put_blob(chunks, media_type, expected)

    def put_document(self, document: Document) -> None:
        with os_errors(self._reference):
            self._archive.put_document(document)

    def commit(self, root: Document, platform: Platform | None = None) -> None:
        with os_errors(self._reference):
            self._archive.finish(root, platform)
        self._file.publish()

    def close(self) -> None:
        self._file.discard()
