"""The files of an OCI image layout: their names, and what is written into them (image-spec v1.1, image-layout.md)."""

from __future__ import annotations

import re
from pathlib import Path

from deadweight.errors import InvalidReference
from deadweight.oci import media_types, strict_json
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.transport.location import split_location

LAYOUT = "oci-layout"
INDEX = "index.json"
VERSION = "1.0.0"
LAYOUT_FILE = strict_json.canonical({"imageLayoutVersion": VERSION})
EMPTY_INDEX = strict_json.canonical({"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": []})
MANIFEST_TYPES = frozenset({media_types.OCI_MANIFEST, media_types.OCI_INDEX})
"""Documents of Docker's types may lie in a layout too, but skopeo does not find them by name."""
REF_NAME = "org.opencontainers.image.ref.name"
"""The annotation that names an image of a layout (image-spec v1.1, annotations.md)."""
CONTAINERD_NAME = "io.containerd.image.name"
"""The full name, where containerd and Docker put only the tag into `REF_NAME`."""

_AT_DIGEST = re.compile(r"(.*?):?@((?:sha256|sha384|sha512):[0-9a-f]+)", re.DOTALL)
_REF = re.compile(r"[A-Za-z0-9]+(?:(?:[-._:@+/]|--)[A-Za-z0-9]+)*")


def blob_path(digest: Digest) -> str:
    """Where a layout keeps the content with `digest`."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def split_digest(location: str) -> tuple[str, str]:
    """``LOCATION@DIGEST`` or ``LOCATION:@DIGEST`` in two, the second with its ``@``; empty where there is none."""
    match = _AT_DIGEST.fullmatch(location)
    return (match[1], f"@{match[2]}") if match else (location, "")


def split_source(location: str) -> tuple[Path, str]:
    """The path and the name (a reference name, ``@DIGEST`` or nothing) of an image to read."""
    place, digest = split_digest(location)
    return (Path(place), digest) if digest else split_location(place)


def split_destination(location: str) -> tuple[Path, str]:
    """The path and the reference name of an image to write. Raises `InvalidReference` (annotations.md, "ref.name")."""
    path, name = split_location(location)
    if split_digest(location)[1] or (name and not _REF.fullmatch(name)):
        raise InvalidReference(
            location, "has no valid reference name", "use letters and digits, with one of -._:@+/ between"
        )
    return path, name


def with_entry(index: bytes, root: Descriptor, platform: Platform | None, name: str) -> bytes:
    """index.json with an entry for `root` named `name` (empty: without a name), in place of those of that name.

    All other entries, and fields that deadweight does not know, stay as they are.
    """
    entry = Descriptor(
        root.media_type,
        root.digest,
        root.size,
        {REF_NAME: name} if name else {},
        platform,
    )
    value = strict_json.loads(index, INDEX)
    kept = [old for old in value.get("manifests") or [] if _name(old) != name]
    return strict_json.canonical(value | {"manifests": [*kept, entry.to_json()]})


def _name(entry: dict[str, dict[str, str] | None]) -> str:
    return (entry.get("annotations") or {}).get(REF_NAME, "")
