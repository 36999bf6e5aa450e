"""Manifests and indexes (OCI image-spec v1.1, manifest.md and image-index.md; Docker manifest v2 schema 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deadweight.errors import DigestMismatch, InvalidDocument, Unsupported
from deadweight.oci import fields, media_types, strict_json
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest

MAX_LAYERS = 1024
"""The most layers of a manifest. Linux mounts at most 500 overlay layers; Docker stops at 127."""
MAX_MANIFESTS = 4096
"""The most entries of an index."""


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest, index or config: its bytes, and the descriptor they were checked against."""

    descriptor: Descriptor
    raw: bytes

    @classmethod
    def of(cls, raw: bytes, media_type: str) -> Document:
        """The document of `raw`, described by its own sha256 and size."""
        return cls(Descriptor(media_type, Digest.of(raw), len(raw)), raw)

    @classmethod
    def verified(cls, descriptor: Descriptor, raw: bytes) -> Document:
        """The document of `raw` if that is what `descriptor` says. Raises `DigestMismatch` otherwise."""
        if len(raw) != descriptor.size:
            raise DigestMismatch(str(descriptor.digest), f"has {len(raw)} bytes instead of {descriptor.size}")
        found = digest_like(descriptor.digest, raw)
        if found != descriptor.digest:
            raise DigestMismatch(str(descriptor.digest), f"the content has another digest, {found}")
        return cls(descriptor, raw)


def digest_like(model: Digest, raw: bytes) -> Digest:
    """The digest of `raw` by the algorithm of `model`."""
    return Digest(f"{model.algorithm}:{hashlib.new(model.algorithm, raw).hexdigest()}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform. `layers` are in order, base first."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""
    subject: Descriptor | None = None

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": self.media_type,
            "config": self.config.to_json(),
            "layers": [layer.to_json() for layer in self.layers],
        }
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        if self.artifact_type:
            value["artifactType"] = self.artifact_type
        if self.subject:
            value["subject"] = self.subject.to_json()
        return value


@dataclass(frozen=True, slots=True)
class Index:
    """Several manifests (or indexes), usually one for each platform."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": self.media_type,
            "manifests": [manifest.to_json() for manifest in self.manifests],
        }
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        return value


def parse_document(document: Document) -> Manifest | Index:
    """The manifest or index in `document`.

    The type is what the document says, else what its descriptor says, else what its fields show. Raises
    `InvalidDocument` where these contradict each other, and `Unsupported` for Docker's schema 1.
    """
    subject = f"manifest {document.descriptor.digest}"
    value = strict_json.loads(document.raw, subject)
    version = value.get("schemaVersion")
    if version == 1:
        raise Unsupported(
            subject, "is Docker's manifest schema 1", "push the image again with a current client"
        )
    if version != 2:
        raise InvalidDocument(subject, f"schemaVersion must be 2, but is {version!r}")
    media_type = _media_type(value, document.descriptor.media_type, subject)
    if media_type in media_types.INDEXES:
        return _index(value, media_type, subject)
    return _manifest(value, media_type, subject)


def _media_type(value: Mapping[str, Any], described: str, subject: str) -> str:
    stated = fields.text(value, "mediaType", subject)
    # A document that could be read as either is refused (CVE-2021-41190).
    if "manifests" in value and ("layers" in value or "config" in value):
        raise InvalidDocument(subject, "has the fields of a manifest and of an index")
    known = media_types.INDEXES | media_types.MANIFESTS
    if stated and stated not in known:
        raise InvalidDocument(subject, f"has the unknown media type {stated[:100]!r}")
    shown = media_types.OCI_INDEX if "manifests" in value else media_types.OCI_MANIFEST
    media_type = stated or (described if described in known else shown)
    if (media_type in media_types.INDEXES) != ("manifests" in value):
        raise InvalidDocument(subject, f"says that it is a {media_type}, but has other fields")
    return media_type


def _index(value: Mapping[str, Any], media_type: str, subject: str) -> Index:
    entries = fields.objects(value, "manifests", subject, MAX_MANIFESTS)
    return Index(
        media_type=media_type,
        manifests=tuple(Descriptor.from_json(entry, subject) for entry in entries),
        annotations=fields.texts_by_name(value, "annotations", subject),
    )


def _manifest(value: Mapping[str, Any], media_type: str, subject: str) -> Manifest:
    layers = fields.objects(value, "layers", subject, MAX_LAYERS)
    about = fields.mapping(value, "subject", subject)
    return Manifest(
        media_type=media_type,
        config=Descriptor.from_json(fields.mapping(value, "config", subject), f"{subject}: config"),
        layers=tuple(
            Descriptor.from_json(layer, f"{subject}: layer {number}")
            for number, layer in enumerate(layers, 1)
        ),
        annotations=fields.texts_by_name(value, "annotations", subject),
        artifact_type=fields.text(value, "artifactType", subject),
        subject=Descriptor.from_json(about, subject) if about else None,
    )
