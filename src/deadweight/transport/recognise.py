"""What a bare argument means: a path by its content, else an image of the engine, else one of a registry."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from deadweight.errors import DeadweightError, InvalidReference, NotFound, Unsupported
from deadweight.layer.decompress import UNCOMPRESSED, decoded, sniff
from deadweight.transport.base import MODULES, Access
from deadweight.transport.files import open_range, open_regular
from deadweight.transport.layout_files import LAYOUT, split_source
from deadweight.transport.location import exists
from deadweight.transport.tar_members import ReadAt, walk

ROOT_NAMES = frozenset(
    [
        "bin",
        "boot",
        "dev",
        "etc",
        "home",
        "lib",
        "lib32",
        "lib64",
        "media",
        "mnt",
        "opt",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "tmp",
        "usr",
        "var",
    ]
)
"""The top of a root file system (Filesystem Hierarchy Standard 3.0, section 3)."""

_ARCHIVE = re.compile(r".*\.(tar|tgz|tzst|oci|tar\.(gz|zst|zstd))", re.DOTALL)
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(:[\w][\w.-]*)?", re.ASCII)
_ELSEWHERE = {
    "containers-storage": "save the image with: podman save --format oci-archive",
    "ostree": "copy the image to oci: with skopeo",
    "sif": "copy the image to oci: with skopeo",
}
"""Transports of skopeo that deadweight has not, and the way round."""
_SIMILAR_TRANSPORT = 0.81
_SIMILAR_FILE = 0.7


def recognise(text: str, access: Access) -> tuple[str, str]:
    """The transport and the location that `text`, which names no transport, stands for.

    Raises `NotFound` for what looks like a path that is not there, `InvalidReference` for a misspelt transport and
    `Unsupported` for a file that holds no image.
    """
    path, name = split_source(text)
    if exists(str(path)):
        try:
            return _of_path(path, name, text), text
        except DeadweightError:
            # A folder or a program that is called as an image is.
            if not _PLAIN_NAME.fullmatch(text):
                raise
    elif _looks_like_path(text, path):
        raise NotFound(str(path), "does not exist", _nearest(path))
    _refuse_misspelt(text)
    from deadweight.transport.engine import has_image

    return ("docker-daemon", text) if has_image(text, access) else ("docker", f"//{text}")


def _of_path(path: Path, name: str, text: str) -> str:
    transport = _of_folder(path, text) if path.is_dir() else _of_file(path)
    if transport in ("rootfs", "dir") and name:
        kind = "a root file system" if transport == "rootfs" else "one image"
        raise InvalidReference(text, f"{path} is {kind}, without names", f"leave {name!r} out")
    return transport


def _of_folder(path: Path, text: str) -> str:
    if (path / LAYOUT).is_file():
        return "oci"
    if (path / "manifest.json").is_file() and (path / "version").is_file():
        return "dir"
    if "/" not in text and not any((path / name).exists() for name in ROOT_NAMES):
        expected = (
            f"expected an OCI layout, a folder that skopeo wrote, or a root file system; write rootfs:{path}"
        )
        raise Unsupported(text, "is a folder that holds no image", f"{expected} to take it as one")
    return "rootfs"


def _of_file(path: Path) -> str:
    descriptor, size = open_regular(path)
    with open_range(descriptor, 0, size, str(path)) as stream:
        if sniff(os.pread(descriptor, 4, 0)) == UNCOMPRESSED:
            transport = _of_archive(lambda offset, length: os.pread(descriptor, length, offset), path)
        else:
            transport = _of_archive(_forwards(stream, str(path)), path)
    if transport is None:
        expected = (
            "expected a docker archive, an OCI archive or a root file system: tar, plain or as gzip or zstd"
        )
        raise Unsupported(str(path), "is no image", expected)
    return transport


def _of_archive(read_at: ReadAt, path: Path) -> str | None:
    """The transport of the archive, as soon as its members tell; None for what is no archive."""
    layout = False
    found = False
    try:
        for member in walk(read_at, str(path)):
            found = True
            top = member.name.partition("/")[0]
            if member.name == "manifest.json":
                return "docker-archive"
            if top in ROOT_NAMES or top == ".dockerenv":
                return "rootfs"
            layout = layout or member.name == LAYOUT
    except DeadweightError:
        if not found:
            return None
        raise
    if layout:
        return "oci-archive"
    return "rootfs" if found else None


def _forwards(stream: BinaryIO, subject: str) -> ReadAt:
    """Reads the uncompressed bytes of `stream` at ascending offsets."""
    pieces = decoded(stream, subject)
    start = 0
    held = b""

    def read_at(offset: int, length: int) -> bytes:
        nonlocal start, held
        while start + len(held) < offset + length:
            piece = next(pieces, b"")
            if not piece:
                break
            kept = held[max(0, offset - start) :]
            start, held = start + len(held) - len(kept), kept + piece
        return held[max(0, offset - start) :][:length]

    return read_at


def _looks_like_path(text: str, path: Path) -> bool:
    return text.startswith(("/", ".", "~")) or bool(_ARCHIVE.fullmatch(str(path)))


def _nearest(path: Path) -> str:
    from difflib import get_close_matches  # only for an error

    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} is not there"
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, 10_000)]
    except OSError:
        return ""
    close = get_close_matches(path.name, names, 1, _SIMILAR_FILE)
    return f"did you mean {folder / close[0]}?" if close else ""


def _refuse_misspelt(text: str) -> None:
    from difflib import get_close_matches

    name, colon, location = text.partition(":")
    if not colon or "/" in name or "." in name:
        return
    if name in _ELSEWHERE:
        raise Unsupported(text, f"the transport {name}: is not supported", _ELSEWHERE[name])
    close = get_close_matches(name, MODULES, 1, _SIMILAR_TRANSPORT)
    if close:
        remedy = f"did you mean {close[0]}:{location}? An image of that name is docker://{text}"
        raise InvalidReference(text, f"there is no transport {name!r}", remedy)
