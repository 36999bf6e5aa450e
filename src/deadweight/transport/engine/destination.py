"""Writing an image to an engine: a docker archive in a temporary file, which ``docker load`` would read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from deadweight.errors import InvalidDocument, InvalidReference, TransportError
from deadweight.oci import fields, strict_json
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.manifest import Document
from deadweight.transport.base import Access, Destination, Source
from deadweight.transport.docker_archive_format import DockerArchiveFormat
from deadweight.transport.engine.api import find_engine, one_line
from deadweight.transport.files import os_errors
from deadweight.transport.registry.reference import parse_reference

_MOST_PROGRESS = 16 << 20
"""The most bytes that an engine may say while it loads an image."""


class EngineDestination(Destination):
    """An image under a name in the engine; the engine gets it on `commit`, and sets the name last."""

    def __init__(self, name: str, access: Access) -> None:
        target = parse_reference(name)
        if target.digest:
            raise InvalidReference(name, "an engine names images by tags alone", "leave the digest out")
        self._reference = f"docker-daemon:{target.familiar}"
        self._engine = find_engine(access, os.environ)
        self._file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 (closed by `close`)
        self._archive = DockerArchiveFormat(self._file, [target.familiar])

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
        """Loads the image into the engine. Raises `TransportError` with what the engine says against it."""
        with os_errors(self._reference):
            self._archive.finish(root, platform)
            self._file.flush()
            self._file.seek(0)
        with self._engine.request("POST", "/images/load?quiet=1", self._file) as answer:
            progress = answer.read(_MOST_PROGRESS)
        for line in progress.splitlines():
            if problem := _problem(line):
                raise TransportError(self._reference, f"the engine does not take the image: {problem}")

    def close(self) -> None:
        self._file.close()


def _problem(line: bytes) -> str:
    """What a line of the engine's progress complains of; empty for none."""
    try:
        return one_line(fields.text(strict_json.loads(line, ""), "error", ""))
    except InvalidDocument:
        return ""  # podman says some things in plain text
