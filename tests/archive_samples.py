"""Archives and layouts of small images, made without any of our own code, and what sources and destinations did."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deadweight.oci.manifest import Index, parse_document
from deadweight.transport.base import Access, Source
from deadweight.transport.files import pieces
from deadweight.transport.names import open_destination, open_source
from deadweight.transport.staging import is_staged
from services.images import SampleImage, SampleIndex

ANYWHERE = Access()
REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"


def tar_of(members: Mapping[str, bytes] | Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A tar archive, with no folders but those named."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        if isinstance(members, Mapping):
            members = [(tarfile.TarInfo(name), data) for name, data in members.items()]
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def link(name: str, target: str, *, hard: bool = False) -> tuple[tarfile.TarInfo, bytes]:
    """A link member for `tar_of`."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.LNKTYPE if hard else tarfile.SYMTYPE
    info.linkname = target
    return info, b""


def docker_members(images: Mapping[str, SampleImage], *, compressed: bool = False) -> dict[str, bytes]:
    """The members of a classic docker archive of `images` by name; an empty name stands for none."""
    members: dict[str, bytes] = {}
    items = []
    for name, image in images.items():
        layers = []
        for layer, diff_id in zip(image.layers, image.diff_ids, strict=True):
            digest = layer.digest if compressed else diff_id
            place = f"{digest}.tar.gz" if compressed else f"{digest.removeprefix('sha256:')}/layer.tar"
            members[place] = layer.data
            layers.append(place)
        config = f"{image.config.digest.removeprefix('sha256:')}.json"
        members[config] = image.config.data
        items.append({"Config": config, "RepoTags": [name] if name else None, "Layers": layers})
    members["manifest.json"] = json.dumps(items).encode()
    return members


def entry(
    image: SampleImage | SampleIndex, name: str = "", platform: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The entry of `image` in an index.json."""
    top = image.index if isinstance(image, SampleIndex) else image.manifest
    more: dict[str, Any] = {"annotations": {REF_NAME: name}} if name else {}
    return top.descriptor(**more | ({"platform": dict(platform)} if platform else {}))


def layout_members(
    images: Iterable[SampleImage | SampleIndex], entries: Iterable[Mapping[str, Any]]
) -> dict[str, bytes]:
    """The files of an OCI layout."""
    blobs = [blob for image in images for blob in image.blobs]
    members = {f"blobs/{blob.digest.replace(':', '/')}": blob.data for blob in blobs}
    members["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": list(entries)}).encode()
    return members


def write_members(folder: Path, members: Mapping[str, bytes]) -> Path:
    """Writes `members` into `folder` and returns it."""
    for name, data in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def copy(origin: str, target: str) -> None:
    """Everything as it is, from one transport to another."""
    with open_source(origin, ANYWHERE) as source, open_destination(target, ANYWHERE) as destination:
        root = source.root()
        parsed = parse_document(root)
        descriptors = parsed.manifests if isinstance(parsed, Index) else [root.descriptor]
        for descriptor in descriptors:
            document = source.document(descriptor) if isinstance(parsed, Index) else root
            manifest = parse_document(document)
            assert not isinstance(manifest, Index)
            for layer in manifest.layers:
                if not destination.holds(layer, source):
                    with source.blob(layer) as blob:
                        destination.put_blob(pieces(blob), layer.media_type, layer)
            destination.put_document(source.document(manifest.config))
            destination.put_document(document)
        destination.commit(root)


def no_leftovers(folder: Path) -> bool:
    """Whether nothing in `folder`, or below, is still being written."""
    return not [path for path in folder.rglob("*") if is_staged(path.name)]


def root_digest(reference: str) -> str:
    """The digest of what `reference` names."""

    def of(source: Source) -> str:
        return str(source.root().descriptor.digest)

    with open_source(reference, ANYWHERE) as source:
        return of(source)
