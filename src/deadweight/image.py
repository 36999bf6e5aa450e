"""An opened image: its manifest, its config and its layers, read from any transport."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from deadweight.errors import InvalidDocument, NotFound
from deadweight.oci import media_types
from deadweight.oci.config import ImageConfig, parse_config
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, Index, Manifest, parse_document
from deadweight.transport.base import Access, Source
from deadweight.transport.names import open_source

AS_DOCKER_WOULD = Access()
MAX_INDEX_DEPTH = 8
"""How deep indexes may nest."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image. `position` counts from 0, base first."""

    position: int
    descriptor: Descriptor
    diff_id: Digest
    instruction: str
    wire_size: int | None
    """Compressed bytes that a pull moves; None where the source holds the layer uncompressed."""

    @property
    def foreign(self) -> bool:
        """A layer that the source need not hold (non-distributable)."""
        return media_types.is_foreign(self.descriptor.media_type)


@dataclass(frozen=True, slots=True)
class Image:
    """One image for one platform."""

    reference: str
    source: Source
    document: Document
    manifest: Manifest
    config_document: Document
    config: ImageConfig
    layers: tuple[Layer, ...]

    @property
    def platform(self) -> Platform:
        return self.config.platform

    @property
    def digest(self) -> Digest:
        """The manifest's digest; the image ID (the config's digest) where the manifest had to be made."""
        if self.source.traits.original_manifest:
            return self.document.descriptor.digest
        return self.config_document.descriptor.digest

    def open_layer(self, layer: Layer) -> BinaryIO:
        """The stored bytes of `layer`, not verified."""
        return self.source.blob(layer.descriptor)


@contextmanager
def open_image(
    reference: str, platform: Platform | None = None, access: Access = AS_DOCKER_WOULD
) -> Iterator[Image]:
    """The image that `reference` names: of an index the one for `platform`, else for this machine, else the only one.

    Raises `DeadweightError` for anything that is not there, not readable or not an image.
    """
    with open_source(reference, access) as source:
        yield read_image(source, select(source, platform))


@contextmanager
def open_images(reference: str, access: Access = AS_DOCKER_WOULD) -> Iterator[list[Image]]:
    """Every image of an index, in its order, or the one image there is."""
    with open_source(reference, access) as source:
        yield [read_image(source, document) for document, _ in manifests(source)]


def manifests(source: Source) -> list[tuple[Document, Platform | None]]:
    """The manifests of images under the source's root, nested indexes included; attestations and the like are not images."""
    return list(_manifests(source, source.root(), None, (), set()))


def select(source: Source, platform: Platform | None) -> Document:
    """The manifest for `platform`. Raises `NotFound` naming the platforms that are there."""
    root = source.root()
    if isinstance(parse_document(root), Manifest):
        if platform is not None:
            _require_platform(source, root, platform)
        return root
    wanted = platform or Platform.of_host()
    for document, offered in _manifests(source, root, None, (), set(), wanted):
        if offered is not None and wanted.accepts(offered):
            return document
    candidates = manifests(source)
    if platform is None and len(candidates) == 1:
        return candidates[0][0]
    if not candidates:
        raise NotFound(source.reference, "the index holds no image")
    known = ", ".join(sorted({str(offered or "unknown") for _, offered in candidates}))
    raise NotFound(source.reference, f"has no image for {wanted}", f"choose with --platform from: {known}")


def read_image(source: Source, document: Document) -> Image:
    """The image of one manifest."""
    manifest = parse_document(document)
    if not isinstance(manifest, Manifest):
        raise InvalidDocument(source.reference, "is an index, where a manifest is needed")
    config_document = source.document(manifest.config)
    config = parse_config(config_document)
    subject = f"manifest {document.descriptor.digest}"
    if len(config.diff_ids) != len(manifest.layers):
        problem = f"has {len(manifest.layers)} layers, but its config has {len(config.diff_ids)} diff IDs"
        raise InvalidDocument(subject, problem)
    instructions = config.instructions()
    layers = tuple(
        Layer(position, descriptor, diff_id, instruction, _wire_size(source, descriptor))
        for position, (descriptor, diff_id, instruction) in enumerate(
            zip(manifest.layers, config.diff_ids, instructions, strict=True)
        )
    )
    return Image(source.reference, source, document, manifest, config_document, config, layers)


def _wire_size(source: Source, descriptor: Descriptor) -> int | None:
    compressed = media_types.layer_compression(descriptor.media_type) in ("gzip", "zstd")
    return descriptor.size if compressed or source.traits.moves_blobs else None


def _manifests(
    source: Source,
    document: Document,
    offered: Platform | None,
    above: tuple[Digest, ...],
    seen: set[Digest],
    wanted: Platform | None = None,
) -> Iterator[tuple[Document, Platform | None]]:
    """The manifests below `document`; with `wanted`, what the index says to be for others is not even fetched."""
    digest = document.descriptor.digest
    if digest in above or len(above) > MAX_INDEX_DEPTH:
        raise InvalidDocument(f"index {digest}", f"contains itself, or nests deeper than {MAX_INDEX_DEPTH}")
    if digest in seen:
        return
    seen.add(digest)
    parsed = parse_document(document)
    if isinstance(parsed, Index):
        for entry in parsed.manifests:
            for_others = (
                wanted is not None and entry.platform is not None and not wanted.accepts(entry.platform)
            )
            if _may_be_image(entry) and not for_others:
                inner = source.document(entry)
                yield from _manifests(
                    source, inner, entry.platform or offered, (*above, digest), seen, wanted
                )
    elif is_image(parsed):
        if offered is None:
            offered = parse_config(source.document(parsed.config)).platform
        yield document, offered


def _may_be_image(entry: Descriptor) -> bool:
    known = media_types.INDEXES | media_types.MANIFESTS
    attestation = "vnd.docker.reference.type" in entry.annotations
    return entry.media_type in known and not entry.artifact_type and not attestation


def is_image(manifest: Manifest) -> bool:
    """Whether `manifest` is that of an image, and not of an attestation, a chart or another artifact."""
    configs = (media_types.OCI_CONFIG, media_types.DOCKER_CONFIG)
    return manifest.config.media_type in configs and not manifest.artifact_type


def _require_platform(source: Source, document: Document, platform: Platform) -> None:
    offered = read_image(source, document).platform
    if not platform.accepts(offered):
        raise NotFound(source.reference, f"has no image for {platform}", f"its only image is for {offered}")
