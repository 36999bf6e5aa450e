"""Copying an image, or an index of several, from a source to a destination."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from deadweight.copying.documents import attested, with_layers, with_manifests
from deadweight.copying.layers import Conversion, Job, LayerCopier
from deadweight.copying.result import FOREIGN, CopyResult
from deadweight.errors import InvalidDocument, UsageError
from deadweight.image import MAX_INDEX_DEPTH, is_image, select
from deadweight.indexing import SILENT, Progress
from deadweight.layer.compress import Compression, available_threads
from deadweight.layer.decompress import GZIP, UNCOMPRESSED
from deadweight.oci import media_types
from deadweight.oci.config import ImageConfig, parse_config
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, Index, Manifest, parse_document
from deadweight.transport.base import Access, Destination, Source
from deadweight.transport.location import split_location
from deadweight.transport.names import open_destination, open_source, parse_destination

ALL: Literal["all"] = "all"
"""Instead of a platform: whatever the reference names, an index with all that it holds."""

_AS_DOCKER_WOULD = Access()


def copy_image(
    source: str,
    destination: str,
    *,
    compression: Compression | None = None,
    platform: Platform | Literal["all"] | None = None,
    access: Access = _AS_DOCKER_WOULD,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> CopyResult:
    """Copies the image `source` to `destination`, which names its transport; see `copy`.

    Raises `DeadweightError`; the destination is then as it was before.
    """
    parse_destination(destination)  # a mistake in it is told before anything is opened
    with open_source(source, access) as origin, open_destination(destination, access) as target:
        require_distinct(origin.reference, target.reference)
        return copy(
            origin,
            target,
            compression=compression,
            platform=platform,
            threads=threads or available_threads(),
            progress=progress,
        )


def copy(
    source: Source,
    destination: Destination,
    *,
    compression: Compression | None,
    platform: Platform | Literal["all"] | None,
    threads: int,
    progress: Progress = SILENT,
) -> CopyResult:
    """Copies what `source` names, for `platform` (this machine's, if None) or `ALL`, and commits it.

    Without `compression`, layers, manifests and indexes keep their bytes and digests; what the destination does not store as
    it is (a compression, Docker's manifests) is converted, and `CopyResult.notes` says so. With one, all layers are stored in it: those
    in it already stay unless it has a level. Every blob is verified, a converted one against its diff ID too.

    Raises `UsageError` for a compression that the destination does not store, `DigestMismatch` for bad content, and
    whatever the two ends raise.
    """
    if compression is not None and compression.method not in destination.compressions:
        stored = " or ".join(sorted(destination.compressions))
        problem = f"stores layers {stored} only, not as {compression.method}"
        raise UsageError(destination.reference, problem, "choose another compression or destination")
    root = source.root() if platform == ALL else select(source, platform)
    copier = _Copier(source, destination, compression, threads, progress)
    written = copier.copied(root, 0)
    destination.commit(written, copier.platform_of(root))
    return CopyResult(
        source=source.reference,
        destination=destination.reference,
        digest=written.descriptor.digest,
        images=copier.images,
        layers=copier.layers.copies,
        notes=tuple(copier.notes()),
    )


class _Copier:
    """Copies documents with all that they name; each is put after what it names, the root is left to the caller."""

    def __init__(
        self,
        source: Source,
        destination: Destination,
        compression: Compression | None,
        threads: int,
        progress: Progress,
    ) -> None:
        self._source = source
        self._destination = destination
        self._compression = compression
        self.layers = LayerCopier(source, destination, threads, progress)
        self.images = 0
        self._platforms: dict[Digest, Platform] = {}
        self._written: dict[Digest, Document] = {}
        self._forced: set[tuple[str, str]] = set()
        self._left_out = 0
        self._made_oci = False

    def copied(self, document: Document, depth: int) -> Document:
        """The document as it is to be in the destination, where all that it names is now."""
        known = self._written.get(document.descriptor.digest)
        if known is not None:
            return known
        if depth > MAX_INDEX_DEPTH:
            raise InvalidDocument(
                f"index {document.descriptor.digest}", f"nests deeper than {MAX_INDEX_DEPTH}"
            )
        parsed = parse_document(document)
        if isinstance(parsed, Index):
            written = self._index(document, parsed, depth)
        else:
            written = self._manifest(document, parsed)
        self._written[document.descriptor.digest] = written
        return written

    def platform_of(self, root: Document) -> Platform | None:
        """The platform of a single image that was copied."""
        return self._platforms.get(root.descriptor.digest)

    def notes(self) -> list[str]:
        """What `CopyResult.notes` is for."""
        notes = [
            f"{old} layers were stored as {new}, because {self._destination.reference} takes no {old}"
            for old, new in sorted(self._forced)
        ]
        foreign = sum(layer.outcome == FOREIGN for layer in self.layers.copies)
        if foreign:
            notes.append(f"{foreign} foreign layers are named but not held, as in every registry")
        if self._made_oci:
            notes.append("Docker's manifest became an OCI one, because the destination or zstd asks for it")
        if self._left_out:
            notes.append(f"{self._left_out} attestations were left out: they vouch for the image as it was")
        return notes

    def _index(self, document: Document, index: Index, depth: int) -> Document:
        # Attestations come last: whether they still hold depends on what became of their images.
        entries: dict[int, Descriptor] = {}
        for number, entry in sorted(
            enumerate(index.manifests), key=lambda item: attested(item[1]) is not None
        ):
            subject = attested(entry)
            if subject is not None and self._changed(subject):
                self._left_out += 1
                continue
            inner = self._source.document(entry)
            written = self.copied(inner, depth + 1) if subject is None else self._artifact(inner)
            self._destination.put_document(written)
            entries[number] = replace(
                entry,
                media_type=written.descriptor.media_type or entry.media_type,
                digest=written.descriptor.digest,
                size=written.descriptor.size,
            )
        return with_manifests(document, index, [entries[number] for number in sorted(entries)])

    def _changed(self, digest: str) -> bool:
        return any(old == digest != written.descriptor.digest for old, written in self._written.items())

    def _manifest(self, document: Document, manifest: Manifest) -> Document:
        if not is_image(manifest):
            return self._artifact(document)
        config_document = self._source.document(manifest.config)
        config = parse_config(config_document)
        layers = self.layers.copy(self._jobs(document, manifest, config))
        written = with_layers(document, manifest, layers, self._destination.manifest_types)
        self._made_oci |= written.descriptor.media_type != document.descriptor.media_type
        self._destination.put_document(config_document)
        self._platforms[document.descriptor.digest] = config.platform
        self.images += 1
        return written

    def _artifact(self, document: Document) -> Document:
        """Something else with a manifest: whatever it is made of stays as it is."""
        manifest = parse_document(document)
        if not isinstance(manifest, Manifest):
            raise InvalidDocument(f"index {document.descriptor.digest}", "is said to be an attestation")
        self.layers.copy([Job(blob) for blob in manifest.layers])
        self._destination.put_document(self._source.document(manifest.config))
        return document

    def _jobs(self, document: Document, manifest: Manifest, config: ImageConfig) -> list[Job]:
        if len(config.diff_ids) != len(manifest.layers):
            subject = f"manifest {document.descriptor.digest}"
            problem = f"has {len(manifest.layers)} layers, but its config has {len(config.diff_ids)} diff IDs"
            raise InvalidDocument(subject, problem)
        return [
            Job(layer, Conversion(diff_id, compression) if compression else None)
            for layer, diff_id, compression in zip(
                manifest.layers, config.diff_ids, map(self._compression_for, manifest.layers), strict=True
            )
        ]

    def _compression_for(self, layer: Descriptor) -> Compression | None:
        """What to convert `layer` to; None for one that stays as it is."""
        method = media_types.layer_compression(layer.media_type)
        if method is None or media_types.is_foreign(layer.media_type):
            return None  # what we cannot read (an encrypted layer) or have not got
        if self._compression is not None:
            stays = method == self._compression.method and self._compression.level is None
            return None if stays else self._compression
        if method in self._destination.compressions:
            return None
        stored = UNCOMPRESSED if UNCOMPRESSED in self._destination.compressions else GZIP
        self._forced.add((method, stored))
        return Compression(stored)


def require_distinct(source: str, destination: str) -> None:
    """Raises `UsageError` where both references name one image, whose only copy would be replaced."""
    if is_same_place(source, destination):
        raise UsageError(destination, "is the image to be copied", "name another destination")


def is_same_place(one: str, other: str) -> bool:
    """Whether what is written to the one reference replaces what is at the other."""
    place = _place(one)
    return one == other or (place is not None and place == _place(other))


def _place(reference: str) -> tuple[Path, str] | None:
    """The file and the image name of a reference; None for one that names no file."""
    transport, _, location = reference.partition(":")
    if transport not in ("oci", "oci-archive", "docker-archive", "dir", "rootfs"):
        return None
    path, name = split_location(location)
    # An archive or a folder of `dir` is replaced as a whole, whatever it is or the image in it is called.
    return path.resolve(), name if transport == "oci" else ""
