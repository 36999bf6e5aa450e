"""One entry of a layer's tar stream."""

from __future__ import annotations

from typing import NamedTuple

FILE = "f"
DIRECTORY = "d"
SYMLINK = "l"
HARD_LINK = "h"
CHARACTER = "c"
BLOCK = "b"
FIFO = "p"
KINDS = frozenset({FILE, DIRECTORY, SYMLINK, HARD_LINK, CHARACTER, BLOCK, FIFO})

WHITEOUT_PREFIX = ".wh."
OPAQUE_WHITEOUT = ".wh..wh..opq"


class Entry(NamedTuple):
    """A tar entry, whiteouts included. A NamedTuple, because there is one for each file of an image."""

    path: str
    """Without a leading ``./`` or ``/`` and without a trailing ``/``; the root is empty. Bytes that are not UTF-8
    are surrogate-escaped."""
    kind: str
    size: int
    """Content bytes; 0 for all but regular files."""
    mode: int
    """Permission bits, with set-user-ID, set-group-ID and sticky."""
    uid: int
    gid: int
    mtime: int
    """Whole seconds since 1970."""
    link: str
    """The target of a symbolic link, as it stands; that of a hard link as a path like `path`."""
    digest: bytes
    """The sha256 of the content of a regular file; empty for all others."""
    start: int
    """Offset of the first header block in the uncompressed layer, extension headers included."""
    xattrs: tuple[tuple[str, bytes], ...] = ()
    device: tuple[int, int] = (0, 0)
    """Major and minor number of a device."""


def is_whiteout(entry: Entry) -> bool:
    """Whether `entry` says that something below it in the stack goes (image-spec, layer.md, "Whiteouts")."""
    return entry.path.rpartition("/")[2].startswith(WHITEOUT_PREFIX)
