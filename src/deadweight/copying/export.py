"""An image as a root file system: its layers merged into one tar archive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deadweight.copying.copier import require_distinct
from deadweight.copying.root_archive import root_archive
from deadweight.errors import Unsupported
from deadweight.image import AS_DOCKER_WOULD, Image, open_image
from deadweight.indexing import SILENT, Progress, index_image
from deadweight.layer.compress import Compression, available_threads, compress
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.transport.base import Access
from deadweight.transport.files import os_errors
from deadweight.transport.staging import StagedFile
from deadweight.tree.merge import merge

UNCOMPRESSED = Compression("uncompressed")


@dataclass(frozen=True, slots=True)
class Export:
    """A root file system that was written."""

    source: str
    """The full reference that was read."""
    path: Path
    digest: Digest
    """Of the archive as it was written."""
    size: int
    """Its bytes as they were written."""
    entries: int
    """How many names it has."""
    unpacked: int
    """The content bytes of its files, each content once."""


def export_image(
    source: str,
    path: Path,
    *,
    compression: Compression = UNCOMPRESSED,
    platform: Platform | None = None,
    access: Access = AS_DOCKER_WOULD,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> Export:
    """Writes the merged file system of the image `source` to the tar archive `path`, whole or not at all.

    The same image gives the same bytes. Raises `DeadweightError`; what was at `path` is then as it was before.
    """
    if path.is_dir():
        remedy = f"write an archive, {path / 'root.tar'}, and unpack it there as root: tar -xpf"
        raise Unsupported(str(path), "is a folder, where owners could be given by root only", remedy)
    with open_image(source, platform, access) as image:
        require_distinct(image.reference, f"rootfs:{path}")
        return _written(image, path, compression, threads or available_threads(), progress)


def _written(image: Image, path: Path, compression: Compression, threads: int, progress: Progress) -> Export:
    indexes = index_image(image, progress=progress)
    tree = merge(indexes, complete=not any(index.missing for index in indexes)).tree
    archive = (bytes(piece) for piece in root_archive(image, indexes, tree))
    hasher = hashlib.sha256()
    size = 0
    file = StagedFile(path)
    try:
        with os_errors(str(path)):
            for piece in compress(_gathered(archive), compression, threads):
                file.file.write(piece)
                hasher.update(piece)
                size += len(piece)
        file.publish()
    finally:
        file.discard()
    contents = {(node.layer, node.number): node.entry.size for node in tree.leaves}
    return Export(
        source=image.reference,
        path=path,
        digest=Digest(f"sha256:{hasher.hexdigest()}"),
        size=size,
        entries=sum(1 for _ in tree.walk()),
        unpacked=sum(contents.values()),
    )


def _gathered(pieces: Iterator[bytes], size: int = 1 << 20) -> Iterator[bytes]:
    """The same bytes in pieces of `size` or more, but for the last."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= size:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)
