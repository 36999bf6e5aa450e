"""Reading an image from an engine: exported to a temporary file, then read as the docker archive that it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from typing import IO, BinaryIO
from urllib.parse import quote

from deadweight.errors import DeadweightError, NotFound, TransportError
from deadweight.oci import fields
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.manifest import Document
from deadweight.transport.base import Access, Source, Traits
from deadweight.transport.docker_archive import image_in
from deadweight.transport.engine.api import check_name, find_engine
from deadweight.transport.files import os_errors
from deadweight.transport.tar_files import TarFiles

_RESERVE = 64 << 20
"""Bytes that stay free on the disk."""
_PIECE = 1 << 20
_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 5.0


def is_known(name: str, access: Access) -> bool:
    """Whether an engine answers, soon, and has the image."""
    try:
        find_engine(access, os.environ, connect=_CONNECT_SECONDS, read=_ANSWER_SECONDS).inspect(
            check_name(name)
        )
    except DeadweightError:
        return False  # no engine, no such image or no such name: the registry is asked next, and says what is wrong
    return True


def export_image(name: str, access: Access) -> Source:
    """The image `name`. Raises `NotFound`, `TransportError`, and whatever is wrong with the archive."""
    reference = f"docker-daemon:{check_name(name)}"
    engine = find_engine(access, os.environ)
    try:
        known = engine.inspect(name)
    except NotFound:
        remedy = f"see `docker image ls`, or read docker://{name}"
        raise NotFound(reference, f"the engine at {engine.address.text} has no such image", remedy) from None
    # By its ID, since the archive of a name without a tag holds all its tags.
    identifier = quote(fields.text(known, "Id", reference) or name, safe="/:@")
    size = known.get("Size")
    with _temporary_file(size if isinstance(size, int) else 0, reference) as file:
        with engine.request("GET", f"/images/{identifier}/get") as archive, os_errors(reference):
            while piece := archive.read(_PIECE):
                file.write(piece)
            file.flush()
        return EngineSource(_read(file, reference))


class EngineSource(Source):
    """An exported image; what the engine took in, it checked."""

    def __init__(self, exported: Source) -> None:
        self._exported = exported

    @property
    def reference(self) -> str:
        return self._exported.reference

    @property
    def traits(self) -> Traits:
        return replace(self._exported.traits, verified=True)

    def root(self) -> Document:
        return self._exported.root()

    def document(self, descriptor: Descriptor) -> Document:
        return self._exported.document(descriptor)

    def blob(self, descriptor: Descriptor) -> BinaryIO:
        return self._exported.blob(descriptor)

    def close(self) -> None:
        self._exported.close()


def _temporary_file(size: int, reference: str) -> IO[bytes]:
    """A file without a name, which goes when it is closed, where `size` bytes have room."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if size + _RESERVE > free:
        problem = f"its export takes about {size} bytes, but {folder} has {free} free"
        raise TransportError(reference, problem, "free some, or set TMPDIR to a larger disk")
    return tempfile.TemporaryFile(dir=folder)


def _read(file: IO[bytes], reference: str) -> Source:
    files = TarFiles(os.dup(file.fileno()), reference)
    try:
        return image_in(files, "", reference)
    except BaseException:
        files.close()
        raise
