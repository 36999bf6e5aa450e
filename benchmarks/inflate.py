"""The floor: inflates every layer of an OCI layout into one buffer, with deadweight's libraries, and does nothing else."""

from __future__ import annotations

import json
import sys
from io import BufferedIOBase
from pathlib import Path
from typing import Any


def layers(layout: Path) -> list[dict[str, Any]]:
    """The layer descriptors of the first image."""
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(blob(layout, index["manifests"][0]).read_text())
    found: list[dict[str, Any]] = manifest["layers"]
    return found


def blob(layout: Path, descriptor: dict[str, Any]) -> Path:
    return layout / "blobs" / "sha256" / str(descriptor["digest"]).removeprefix("sha256:")


def opened(path: Path, media_type: str) -> BufferedIOBase:
    """The uncompressed bytes of a layer. The library is imported where used, as deadweight does."""
    if media_type.endswith("+gzip"):
        from isal import igzip

        return igzip.IGzipFile(path)  # type: ignore[no-untyped-call]
    if media_type.endswith("+zstd"):
        from backports import zstd

        return zstd.ZstdFile(path)
    return path.open("rb")


def main() -> None:
    layout = Path(sys.argv[1])
    buffer = bytearray(1 << 20)
    for descriptor in layers(layout):
        with opened(blob(layout, descriptor), descriptor["mediaType"]) as stream:
            while stream.readinto(buffer):
                continue


if __name__ == "__main__":
    main()
