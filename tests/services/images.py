"""Small images for tests, made with the standard library alone: nothing of deadweight has a hand in them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."
_LAYER_TYPES = {
    ("oci", "gzip"): f"{OCI}layer.v1.tar+gzip",
    ("oci", "zstd"): f"{OCI}layer.v1.tar+zstd",
    ("oci", "uncompressed"): f"{OCI}layer.v1.tar",
    ("docker", "gzip"): f"{DOCKER}image.rootfs.diff.tar.gzip",
    ("docker", "zstd"): f"{DOCKER}image.rootfs.diff.tar.zstd",
    ("docker", "uncompressed"): f"{DOCKER}image.rootfs.diff.tar",
}
_CONFIG_TYPES = {"oci": f"{OCI}config.v1+json", "docker": f"{DOCKER}container.image.v1+json"}
_MANIFEST_TYPES = {"oci": f"{OCI}manifest.v1+json", "docker": f"{DOCKER}distribution.manifest.v2+json"}
_INDEX_TYPES = {"oci": f"{OCI}index.v1+json", "docker": f"{DOCKER}distribution.manifest.list.v2+json"}

FILES = (
    {"etc/os-release": b"ID=tests\n", "usr/bin/tool": bytes(range(256)) * 40},
    {"etc/os-release": b"ID=tests\nVERSION_ID=2\n", "var/log/build.log": b"line\n" * 500},
    {"var/log/.wh.build.log": b"", "srv/data": b"payload " * 300},
)
"""The files of three layers: one is changed later, one deleted."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Content and how a descriptor names it."""

    media_type: str
    data: bytes

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.data).hexdigest()

    def descriptor(self, **more: Any) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data), **more}


@dataclass(frozen=True, slots=True)
class SampleImage:
    """One image: all its blobs, whole."""

    manifest: Blob
    config: Blob
    layers: tuple[Blob, ...]
    diff_ids: tuple[str, ...]

    @property
    def blobs(self) -> tuple[Blob, ...]:
        return (*self.layers, self.config, self.manifest)


@dataclass(frozen=True, slots=True)
class SampleIndex:
    """Several images under one index."""

    index: Blob
    images: tuple[SampleImage, ...]

    @property
    def blobs(self) -> tuple[Blob, ...]:
        return (*(blob for image in self.images for blob in image.blobs), self.index)


def sample_image(
    files: Sequence[Mapping[str, bytes]] = FILES,
    *,
    compression: str = "gzip",
    family: str = "oci",
    architecture: str = "amd64",
    os: str = "linux",
) -> SampleImage:
    """An image with a layer for each of `files`; `family` is ``oci`` or ``docker`` (the media types)."""
    tars = [tar(content) for content in files]
    layers = tuple(Blob(_LAYER_TYPES[family, compression], compressed(raw, compression)) for raw in tars)
    diff_ids = tuple("sha256:" + hashlib.sha256(raw).hexdigest() for raw in tars)
    config = {
        "architecture": architecture,
        "os": os,
        "created": "2020-01-01T00:00:00Z",
        "config": {"Cmd": ["/usr/bin/tool"], "Env": ["PATH=/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        "history": [{"created_by": f"COPY layer-{number} /"} for number in range(1, len(tars) + 1)],
    }
    config_blob = Blob(_CONFIG_TYPES[family], _json(config))
    return with_manifest(SampleImage(config_blob, config_blob, layers, diff_ids), family)


def with_manifest(image: SampleImage, family: str, **more: Any) -> SampleImage:
    """`image` with a manifest made from its blobs; `more` are further fields of it."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST_TYPES[family],
        "config": image.config.descriptor(),
        "layers": [layer.descriptor() for layer in image.layers],
        **more,
    }
    return replace(image, manifest=Blob(_MANIFEST_TYPES[family], _json(manifest)))


def sample_index(*images: SampleImage, family: str = "oci") -> SampleIndex:
    """An index of `images`, each with the platform of its config."""
    entries = []
    for image in images:
        config = json.loads(image.config.data)
        platform = {"architecture": config["architecture"], "os": config["os"]}
        entries.append(image.manifest.descriptor(platform=platform))
    index = {"schemaVersion": 2, "mediaType": _INDEX_TYPES[family], "manifests": entries}
    return SampleIndex(Blob(_INDEX_TYPES[family], _json(index)), images)


def write_layout(folder: Path, image: SampleImage | SampleIndex, tag: str = "latest") -> Path:
    """Writes `image` as an OCI layout (image-spec v1.1, image-layout.md) and returns `folder`."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for blob in image.blobs:
        (blobs / blob.digest.removeprefix("sha256:")).write_bytes(blob.data)
    top = image.index if isinstance(image, SampleIndex) else image.manifest
    entry = top.descriptor(annotations={"org.opencontainers.image.ref.name": tag})
    index = {"schemaVersion": 2, "mediaType": _INDEX_TYPES["oci"], "manifests": [entry]}
    (folder / "index.json").write_bytes(_json(index))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return folder


def tar(files: Mapping[str, bytes]) -> bytes:
    """The same tar for the same files, always: directories first named, no times, no owners."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        made: set[str] = set()
        for path, data in files.items():
            for parent in [str(parent) for parent in reversed(Path(path).parents)][1:]:
                if parent not in made:
                    made.add(parent)
                    entry = tarfile.TarInfo(parent)
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    archive.addfile(entry)
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return target.getvalue()


def compressed(raw: bytes, compression: str) -> bytes:
    """`raw` as ``gzip``, ``zstd`` or ``uncompressed``."""
    if compression == "gzip":
        return gzip.compress(raw, 6, mtime=0)
    return zstd_frame(raw) if compression == "zstd" else raw


def zstd_frame(raw: bytes) -> bytes:
    """`raw` as one zstd frame of raw blocks (RFC 8878, section 3.1.1): valid, though it saves nothing."""
    limit = 128 << 10
    # The frame header: 4 bytes of content size, single segment, no checksum, no dictionary.
    parts = [b"\x28\xb5\x2f\xfd", bytes([0b10100000]), struct.pack("<I", len(raw))]
    for start in range(0, len(raw), limit):
        block = raw[start : start + limit]
        last = start + limit >= len(raw)
        parts += [struct.pack("<I", len(block) << 3 | last)[:3], block]
    return b"".join(parts)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode()
