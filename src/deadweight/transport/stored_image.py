"""A source whose documents and layers are files of a folder or an archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from deadweight.errors import LimitExceeded
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document
from deadweight.oci.strict_json import MAX_DOCUMENT
from deadweight.transport.base import Source, Traits
from deadweight.transport.files import Files

ORIGINAL = Traits()


class StoredImage(Source):
    """The image whose root is `root`. `place` is the name that a digest's content has in `files`.

    `made` holds documents that are in no file, as the manifest of a classic docker archive. Closes `files`.
    """

    def __init__(
        self,
        reference: str,
        files: Files,
        root: Document,
        place: Callable[[Digest], str],
        traits: Traits = ORIGINAL,
        made: Mapping[Digest, Document] | None = None,
    ) -> None:
        self._reference = reference
        self._files = files
        self._root = root
        self._place = place
        self._traits = traits
        self._made = made or {}

    @property
    def reference(self) -> str:
        return self._reference

    @property
    def traits(self) -> Traits:
        return self._traits

    def root(self) -> Document:
        return self._root

    def document(self, descriptor: Descriptor) -> Document:
        made = self._made.get(descriptor.digest)
        if made is not None:
            return Document.verified(descriptor, made.raw)
        return read_verified(self._files, self._place(descriptor.digest), descriptor)

    def blob(self, descriptor: Descriptor) -> BinaryIO:
        return self._files.open(self._place(descriptor.digest))

    def close(self) -> None:
        self._files.close()


def read_verified(files: Files, name: str, descriptor: Descriptor) -> Document:
    """The document that `descriptor` describes, read from the file `name`.

    Raises `NotFound`, `LimitExceeded`, and `DigestMismatch` where the file is another document.
    """
    if descriptor.size > MAX_DOCUMENT:
        raise LimitExceeded(
            str(descriptor.digest),
            f"{descriptor.size} bytes are more than a document may have ({MAX_DOCUMENT})",
        )
    return Document.verified(descriptor, files.read(name))
