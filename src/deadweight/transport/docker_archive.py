"""``docker-archive:PATH[:NAME:TAG | :@N]``: what ``docker save`` writes and ``docker load`` reads.

Source: Docker image-spec v1.2, "Combined Image JSON + Filesystem Changeset Format"; since Docker 25 an OCI layout
(image-spec v1.1, image-layout.md) lies in the same archive.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deadweight.errors import DigestMismatch, InvalidDocument, InvalidReference, NotFound, Unsupported
from deadweight.layer.decompress import UNCOMPRESSED, sniff
from deadweight.oci import fields, media_types, strict_json
from deadweight.oci.config import parse_config
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import MAX_LAYERS, Document, Manifest, parse_document
from deadweight.transport.archive_destination import ArchiveDestination
from deadweight.transport.base import Access, Destination, Source, Traits
from deadweight.transport.docker_archive_format import MANIFEST, DockerArchiveFormat, repo_tag
from deadweight.transport.files import Files, pieces
from deadweight.transport.incoming import receive
from deadweight.transport.layout import layout_manifests
from deadweight.transport.layout_files import blob_path
from deadweight.transport.location import split_location
from deadweight.transport.staging import StagedFile
from deadweight.transport.stored_image import StoredImage
from deadweight.transport.tar_files import TarFiles

MAX_IMAGES = 4096
"""The most images of one archive."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of manifest.json: the members that make it, and its names."""

    config: str
    layers: tuple[str, ...]
    names: tuple[str, ...]


def open_source(location: str, access: Access) -> Source:
    """The image at `location`. Raises `NotFound`, `InvalidReference`, `InvalidDocument`."""
    path, name = split_location(location)
    return read_archive(path, name)


def open_destination(location: str, access: Access) -> Destination:
    """The archive at `location`, which is replaced when the image is there; NAME:TAG is the image's name in it."""
    path, name = split_location(location)
    tags = [repo_tag(name)] if name else []
    file = StagedFile(path)
    archive = DockerArchiveFormat(file.file, tags)
    return ArchiveDestination(f"docker-archive:{location}", file, archive)


def read_archive(path: Path, name: str = "", reference: str = "") -> Source:
    """The image `name` of the archive at `path`: ``NAME[:TAG]``, ``@N`` by position, or empty for the only one.

    The archive may be compressed. `reference` is what the source calls itself, by default its docker-archive name.
    """
    reference = reference or f"docker-archive:{path}{':' if name else ''}{name}"
    files = TarFiles.at(path)
    try:
        return image_in(files, name, reference)
    except BaseException:
        files.close()
        raise


def image_in(files: Files, name: str, reference: str) -> Source:
    """The image `name` of the archive whose members are `files`."""
    item = choose(read_items(files), name, reference)
    config = _config(files, item)
    original = _original_manifest(files, config.descriptor.digest)
    if original is not None:
        root, manifest = original
        return StoredImage(reference, files, root, blob_path, Traits(original_manifest=_as_pulled(manifest)))
    return _classic(files, item, config, reference)


def read_items(files: Files) -> list[Item]:
    """The images that the archive's manifest.json names.

    Raises `InvalidDocument`, and `Unsupported` for an archive from before Docker 1.10, which has none.
    """
    subject = f"{files.subject}: {MANIFEST}"
    if not files.has(MANIFEST):
        _refuse_without_manifest(files)
    raw = files.read(MANIFEST)
    values = [] if raw.strip() == b"null" else strict_json.loads_array(raw, subject)
    if not values:
        raise InvalidDocument(subject, "names no image")
    items = fields.objects({"images": values}, "images", subject, MAX_IMAGES)
    return [_item(value, f"{subject}: image {number}") for number, value in enumerate(items)]


def choose(items: list[Item], name: str, reference: str) -> Item:
    """The image that `name` names. Raises `InvalidReference` or `NotFound`, which list what there is."""
    if not name:
        if len(items) == 1:
            return items[0]
        raise InvalidReference(reference, f"holds {len(items)} images", f"add one of {_choices(items)}")
    if name.startswith("@"):
        position = name[1:]
        if position.isascii() and position.isdigit() and len(position) < 6 and int(position) < len(items):
            return items[int(position)]
    else:
        wanted = familiar(name)
        for item in items:
            if wanted in map(familiar, item.names):
                return item
    raise NotFound(reference, "is not in the archive", f"it holds {_choices(items)}")


def familiar(name: str) -> str:
    """`name` as Docker shows it: with a tag, without the host and the namespace that it implies."""
    name = name.removeprefix("docker.io/").removeprefix("index.docker.io/").removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _choices(items: list[Item]) -> str:
    shown = [f":{(*item.names, f'@{position}')[0]}" for position, item in enumerate(items[:20])]
    return ", ".join(shown) + (" …" if len(items) > 20 else "")


def _refuse_without_manifest(files: Files) -> None:
    if files.has("oci-layout"):
        remedy = f"read it as oci-archive:{files.subject}"
        raise InvalidDocument(files.subject, f"is an OCI archive, without {MANIFEST}", remedy)
    if files.has("repositories"):
        problem = f"has no {MANIFEST}: an archive from before Docker 1.10, or one that is incomplete"
        raise Unsupported(files.subject, problem, "load it into an engine and save it again")
    raise InvalidDocument(files.subject, f"is no docker archive: it has no {MANIFEST}")


def _item(value: Mapping[str, Any], subject: str) -> Item:
    layers = fields.texts(value, "Layers", subject)
    if len(layers) > MAX_LAYERS:
        raise InvalidDocument(subject, f"names {len(layers)} layers; deadweight reads at most {MAX_LAYERS}")
    config = fields.text(value, "Config", subject)
    if not config:
        raise InvalidDocument(subject, "names no config")
    members = tuple(posixpath.normpath(name) for name in layers)
    return Item(posixpath.normpath(config), members, fields.texts(value, "RepoTags", subject))


def _config(files: Files, item: Item) -> Document:
    config = Document.of(files.read(item.config), media_types.DOCKER_CONFIG)
    stem = item.config.rpartition("/")[2].removesuffix(".json").removeprefix("sha256:")
    # Most writers name the config by its digest; one that does must be right.
    if len(stem) == 64 and not stem.strip("0123456789abcdef") and stem != config.descriptor.digest.hex:
        problem = f"the config {item.config!r} has another digest, {config.descriptor.digest}"
        raise DigestMismatch(files.subject, problem)
    return config


def _original_manifest(files: Files, config: Digest) -> tuple[Document, Manifest] | None:
    """The manifest in the OCI layout of the same archive that has this config; None if there is none."""
    if not (files.has("oci-layout") and files.has("index.json")):
        return None
    for document in layout_manifests(files):
        manifest = parse_document(document)
        if isinstance(manifest, Manifest) and manifest.config.digest == config:
            return document, manifest
    return None


def _as_pulled(manifest: Manifest) -> bool:
    """Whether a registry may have had this manifest.

    An engine that keeps its layers unpacked makes one of its own for ``docker save``.
    """
    compressions = {media_types.layer_compression(layer.media_type) for layer in manifest.layers}
    return not compressions <= {"uncompressed"}


def _classic(files: Files, item: Item, config: Document, reference: str) -> Source:
    """The image of an archive without a manifest: one is made from what the members are."""
    diff_ids = parse_config(config).diff_ids
    if len(diff_ids) != len(item.layers):
        problem = f"names {len(item.layers)} layers, but the config has {len(diff_ids)} diff IDs"
        raise InvalidDocument(f"{files.subject}: {MANIFEST}", problem)
    # A member may be named for many layers, and is read once.
    compressed = {member: _compressed(files, member) for member in sorted(set(item.layers))}
    layers = tuple(
        compressed[member] or Descriptor(media_types.DOCKER_LAYER, diff_id, files.size(member))
        for member, diff_id in zip(item.layers, diff_ids, strict=True)
    )
    manifest = Manifest(media_types.DOCKER_MANIFEST, config.descriptor, layers)
    root = Document.of(strict_json.canonical(manifest.to_json()), media_types.DOCKER_MANIFEST)
    places = {layer.digest: member for layer, member in zip(layers, item.layers, strict=True)}
    made = {document.descriptor.digest: document for document in (root, config)}

    def place(digest: Digest) -> str:
        member = places.get(digest)
        if member is None:
            raise NotFound(reference, f"has no blob {digest}")
        return member

    return StoredImage(reference, files, root, place, Traits(original_manifest=False), made)


def _compressed(files: Files, member: str) -> Descriptor | None:
    """What the member is as a compressed layer, for which it is read; None for an uncompressed one."""
    with files.open(member) as stream:
        compression = sniff(stream.read(4))
    if compression == UNCOMPRESSED:
        return None
    media_type = media_types.with_compression(media_types.DOCKER_LAYER, compression)
    with files.open(member) as stream:
        return receive(pieces(stream), lambda _: None, media_type, None)
