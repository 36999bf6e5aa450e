"""Small images on disk, written with the standard library alone, for tests of whole commands."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layer_stacks import Item, tar_of

DPKG_STATUS = "var/lib/dpkg/status"


def write_layout(
    folder: Path,
    layers: Sequence[Sequence[Item]],
    *,
    history: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
    compress: bool = True,
    architecture: str = "amd64",
) -> str:
    """An OCI layout with one image in `folder`; the reference of it."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes, media_type: str) -> dict[str, Any]:
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}

    tars = [tar_of(layer) for layer in layers]
    kind = "application/vnd.oci.image.layer.v1.tar"
    stored = [
        put(gzip.compress(tar, mtime=0), kind + "+gzip") if compress else put(tar, kind) for tar in tars
    ]
    image = {
        "architecture": architecture,
        "os": "linux",
        "config": dict(config or {}),
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars],
        },
        "history": [{"created_by": made_by} for made_by in history],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put(json.dumps(image).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": stored,
    }
    entry = put(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{folder}"


def dpkg_package(name: str, version: str, files: Mapping[str, bytes]) -> tuple[str, list[Item]]:
    """A stanza for dpkg's status, and the package's files with its list of them."""
    listed = "".join(f"/{path}\n" for path in files)
    stanza = f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
    items = [Item(path, "f", content) for path, content in files.items()]
    return stanza, [*items, Item(f"var/lib/dpkg/info/{name}.list", "f", listed.encode())]


def debian_layer(*packages: tuple[str, list[Item]]) -> list[Item]:
    """One layer with dpkg's database and the files of `packages`."""
    status = "".join(stanza for stanza, _ in packages).encode()
    return [Item(DPKG_STATUS, "f", status), *(item for _, items in packages for item in items)]
