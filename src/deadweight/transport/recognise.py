"""What a bare argument means: a path by its content, else an image of the engine, else one of a registry."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from deadweight.errors import InvalidDocument, InvalidLayer, InvalidReference, NotFound, Unsupported
from deadweight.layer.decompress import UNCOMPRESSED, sniff
from deadweight.transport.base import MODULES, Access
from deadweight.transport.files import ReadAt, open_range, open_regular, os_errors, reader_at
from deadweight.transport.layout_files import LAYOUT, split_source
from deadweight.transport.location import exists
from deadweight.transport.tar_files import inflating
from deadweight.transport.tar_members import walk

_ROOT = re.compile(
    r"(?:bin|boot|dev|etc|home|lib(?:32|64)?|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|\.dockerenv)(?:/.*)?",
    re.DOTALL,
)
"""What lies in a root file system (Filesystem Hierarchy Standard 3.0, section 3), and Docker's mark of one."""
_SAVED = re.compile(r"repositories|[0-9a-f]{64}/layer\.tar")
"""Members of a docker archive besides manifest.json (Docker image-spec v1.2)."""
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
    is_path = text.startswith(("/", ".", "~")) or bool(_ARCHIVE.fullmatch(str(path)))
    if exists(str(path)):
        with os_errors(str(path)):
            folder = path.is_dir()
            transport = _of_folder(path, name, is_path) if folder else _of_file(path, name, text, is_path)
        if transport:
            return transport, text
    elif is_path:
        raise NotFound(str(path), "does not exist", _nearest(path) or _missing_folder(path.parent))
    _refuse_misspelt(text)
    from deadweight.transport.engine import has_image

    return ("docker-daemon", text) if has_image(text, access) else ("docker", f"//{text}")


def _of_folder(path: Path, name: str, is_path: bool) -> str | None:
    """The transport of the folder `path`; None for one that only happens to be called as an image is."""
    if (path / LAYOUT).is_file():
        return "oci"
    if (path / "manifest.json").is_file() and (path / "version").is_file():
        return _nameless("dir", path, name)
    if is_path and not any(path.iterdir()):
        raise Unsupported(str(path), "is empty", "expected an OCI layout or a root file system")
    if is_path or (not name and any(_ROOT.fullmatch(entry.name) for entry in path.iterdir())):
        return _nameless("rootfs", path, name)
    return None


def _of_file(path: Path, name: str, text: str, is_path: bool) -> str | None:
    """The transport of the file `path`; None for one that only happens to be called as an image is."""
    descriptor, size = open_regular(path)
    with open_range(descriptor, 0, size, str(path)) as stream:
        read_at = reader_at(descriptor, str(path))
        if sniff(read_at(0, 4)) != UNCOMPRESSED:
            read_at = _forwards(inflating(stream, size, str(path)))
        transport = _of_archive(read_at, path)
    if transport is None and (is_path or not _PLAIN_NAME.fullmatch(text)):
        expected = (
            "expected a docker archive, an OCI archive or a root file system: tar, plain or as gzip or zstd"
        )
        raise Unsupported(str(path), "is no image", expected)
    return _nameless(transport, path, name) if transport == "rootfs" else transport


def _nameless(transport: str, path: Path, name: str) -> str:
    if name:
        what = "a root file system" if transport == "rootfs" else "a folder of one image"
        raise InvalidReference(f"{path}:{name}", f"{path} is {what}, without names", f"leave {name!r} out")
    return transport


def _of_archive(read_at: ReadAt, path: Path) -> str | None:
    """The transport of the archive, as soon as its members tell; None for what is no archive."""
    found = layout = saved = False
    try:
        for member in walk(read_at, str(path)):
            found = True
            if member.name == "manifest.json":
                return "docker-archive"
            if _ROOT.fullmatch(member.name):
                return "rootfs"
            layout = layout or member.name == LAYOUT
            saved = saved or bool(_SAVED.fullmatch(member.name))
    except (InvalidDocument, InvalidLayer):
        if not found:
            return None
        raise
    if layout:
        return "oci-archive"
    if saved:
        return "docker-archive"  # whose reader says what is missing
    return "rootfs" if found else None


def _forwards(pieces: Iterator[bytes]) -> ReadAt:
    """Reads what `pieces` are of at ascending offsets."""
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


def nearby(text: str) -> str:
    """What there is of files that `text`, which seemed to name none, may have meant; empty where there is nothing."""
    path, _ = split_source(text)
    return f"{path} is here, but is no image" if exists(str(path)) else _nearest(path)


def _missing_folder(folder: Path) -> str:
    return "" if exists(str(folder)) else f"the folder {folder} is not there"


def _nearest(path: Path) -> str:
    from difflib import get_close_matches  # only for an error

    folder = path.parent
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
