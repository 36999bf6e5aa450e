"""Small images written down file by file, and analysed for real: as OCI layouts that nothing of deadweight made."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deadweight.accounting.analyze import analyze
from deadweight.accounting.finders import FINDERS, Finder
from deadweight.accounting.model import Analysis, Finding
from deadweight.image import open_image
from services.images import Blob, SampleImage, compressed, with_manifest, write_layout

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True)
class Member:
    """One tar entry to be."""

    path: str
    content: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o644


def file(path: str, content: bytes | int = b"", mode: int = 0o644) -> Member:
    """A file; a number stands for so many bytes that no other path has."""
    if isinstance(content, int):
        content = (path.encode() + b"\n").ljust(content, b".")[:content]
    return Member(path, content, mode=mode)


def program(path: str, *needed: str, size: int = 0) -> Member:
    """A 64-bit little-endian ELF program that needs the libraries `needed`; `size` bytes more come behind it."""
    return file(path, elf(needed) + b"\1" * size, 0o755)


def link(path: str, target: str) -> Member:
    return Member(path, kind=tarfile.SYMTYPE, link=target)


def hard_link(path: str, target: str) -> Member:
    return Member(path, kind=tarfile.LNKTYPE, link=target)


def directory(path: str) -> Member:
    return Member(path, kind=tarfile.DIRTYPE, mode=0o755)


def whiteout(path: str) -> Member:
    above, slash, name = path.rpartition("/")
    return Member(f"{above}{slash}.wh.{name}")


Members = Sequence[Member]


def tar_of(members: Members) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            info = tarfile.TarInfo(member.path)
            info.type, info.linkname, info.mode = member.kind, member.link, member.mode
            info.size = len(member.content)
            tar.addfile(info, io.BytesIO(member.content))
    return buffer.getvalue()


def image_of(
    layers: Sequence[Members],
    history: Sequence[Mapping[str, Any]],
    config: Mapping[str, Any],
    compression: str = "gzip",
) -> SampleImage:
    """An image with `layers`; `config` has Docker's names, such as ``Entrypoint``."""
    tars = [tar_of(layer) for layer in layers]
    media_type = _LAYER + ("" if compression == "uncompressed" else f"+{compression}")
    blobs = tuple(Blob(media_type, compressed(raw, compression)) for raw in tars)
    diff_ids = tuple("sha256:" + hashlib.sha256(raw).hexdigest() for raw in tars)
    value = {
        "architecture": "amd64",
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    }
    blob = Blob(_CONFIG, json.dumps(value).encode())
    return with_manifest(SampleImage(blob, blob, blobs, diff_ids), "oci")


def analysis_of(
    *layers: Members,
    instructions: Sequence[str] = (),
    history: Sequence[Mapping[str, Any]] = (),
    compression: str = "gzip",
    finders: Sequence[Finder] = FINDERS,
    **config: Any,
) -> Analysis:
    """The analysis of `image_of`; each of `instructions` made a layer."""
    steps = [{"created_by": text} for text in instructions] or history
    image = image_of(layers, steps, config, compression)
    with tempfile.TemporaryDirectory() as folder:
        write_layout(Path(folder) / "image", image)
        with open_image(f"oci:{folder}/image:latest") as opened:
            return analyze(opened, finders=finders)


def finding_of(analysis: Analysis, name: str) -> Finding:
    (finding,) = [finding for finding in analysis.findings if finding.id == name]
    return finding


def paths_of(analysis: Analysis, name: str) -> set[str]:
    """The paths of a finding; none where there is no such finding."""
    return {item.path for finding in analysis.findings if finding.id == name for item in finding.items}


def elf(needed: Sequence[str]) -> bytes:
    """An ELF shared object with nothing but a dynamic section (System V ABI, chapters 4 and 5)."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in needed)
    offsets = [names.index(b"\0" + name.encode() + b"\0") + 1 for name in needed]
    header, segment, dynamic = 64, 56, 16
    at = header + 2 * segment
    strings = at + dynamic * (len(needed) + 3)
    tags = [(1, offset) for offset in offsets] + [(5, strings), (10, len(names)), (0, 0)]
    end = strings + len(names)
    parts = [
        struct.pack(
            "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62, 1, 0, header, 0, 0, 64, segment, 2, 64, 0, 0
        ),
        struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, end, end, 4096),
        struct.pack("<IIQQQQQQ", 2, 4, at, at, at, strings - at, strings - at, 8),
        *(struct.pack("<QQ", tag, value) for tag, value in tags),
        names,
    ]
    return b"".join(parts)
