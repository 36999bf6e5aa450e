"""The two ends of every transport: a `Source` to read images from, a `Destination` to write one to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from deadweight.oci import media_types
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.manifest import Document

MODULES = {
    "docker-archive": "docker_archive",
    "oci": "oci_layout",
    "oci-archive": "oci_archive",
    "dir": "directory",
    "docker": "registry",
    "docker-daemon": "engine",
    "rootfs": "rootfs",
}
"""Transport name -> module of this package with `open_source` and `open_destination`. Imported where used: a
registry client costs more to import than a small archive to read."""

COMPRESSIONS = frozenset({"gzip", "zstd", "uncompressed"})
"""Every compression that a layer may have."""


@dataclass(frozen=True, slots=True)
class Access:
    """How the outside may be reached. Empty fields mean what docker and podman would do."""

    auth_file: Path | None = None
    plain_http: bool = False
    """Plain HTTP to any registry; to loopback it is allowed anyway."""
    ca_file: Path | None = None
    insecure_tls: bool = False
    engine: str = ""
    """The engine's address, as in DOCKER_HOST; empty for DOCKER_HOST or the usual socket."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a source can promise about what it holds."""

    original_manifest: bool = True
    """The manifest is the image's own; False where one had to be made (classic docker archives, root file systems)."""
    moves_blobs: bool = False
    """Layers are stored as a pull moves them, uncompressed ones too (registries)."""
    verified: bool = False
    """A content store that checked each digest when it took the blob in (registries, engines)."""


class Source(Protocol):
    """One image, or the index of one, in some place. A context manager; `close` frees what it holds."""

    @property
    def reference(self) -> str:
        """The full reference, transport included, for messages and reports."""

    @property
    def traits(self) -> Traits: ...

    def root(self) -> Document:
        """The manifest or index that the reference names."""

    def document(self, descriptor: Descriptor) -> Document:
        """A manifest, index or config, whole and verified. Raises `DigestMismatch`, `NotFound`, `LimitExceeded`."""

    def blob(self, descriptor: Descriptor) -> BinaryIO:
        """The stored bytes of a layer, from the start. Not verified: whoever reads it checks digest and size.

        The stream has `readinto` and can be closed at any point. Raises `NotFound`, `TransportError`.
        """

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Destination(Protocol):
    """A place that one image (or an index of several) is written to: whole on `commit`, or not at all.

    A context manager: leaving it without `commit` removes everything that was written. Used by one thread at a time.
    """

    @property
    def reference(self) -> str: ...

    @property
    def compressions(self) -> frozenset[str]:
        """Those of `COMPRESSIONS` that it stores."""

    @property
    def manifest_types(self) -> frozenset[str]:
        """The media types of manifests and indexes that readers of such a place expect; others should be converted."""
        return media_types.MANIFESTS | media_types.INDEXES

    def holds(self, descriptor: Descriptor, origin: Source) -> bool:
        """Whether the blob is there already, or could be put there without moving its bytes (a mount)."""

    def put_blob(self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None) -> Descriptor:
        """Stores one blob and returns its descriptor.

        With `expected`, raises `DigestMismatch` where the bytes are others, and nothing is stored.
        """

    def put_document(self, document: Document) -> None:
        """Stores a config, manifest or index; what it names was stored before."""

    def commit(self, root: Document, platform: Platform | None = None) -> None:
        """Makes the image visible under the wanted name. `platform` describes a single manifest in an index."""

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
