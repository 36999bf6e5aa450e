"""A folder as a tar archive: the same tree, the same bytes."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deadweight.errors import TransportError
from deadweight.layer.entry import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    FIFO,
    FILE,
    HARD_LINK,
    SYMLINK,
    Entry,
)
from deadweight.transport.files import os_errors
from deadweight.transport.tar_writer import END, header, padding

_KINDS = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFCHR: CHARACTER,
    stat.S_IFBLK: BLOCK,
    stat.S_IFIFO: FIFO,
}
"""Sockets are left out: no archive holds them."""
_HOSTS_XATTRS = ("security.selinux", "system.nfs4_acl", "trusted.overlay.")
"""Extended attributes that belong to the host that the tree lies on."""
_READ = 1 << 20


def archive_of(folder: Path) -> int:
    """A descriptor of a nameless temporary file: the tree under `folder` as a tar archive, sorted by path.

    Owners, modes, times, extended attributes, hard links and devices are kept. Links are never followed. What is
    mounted inside the tree is left out, so that only its mount point is there. Raises `TransportError` for what cannot
    be read, or changes meanwhile.
    """
    with os_errors("the folder for temporary files"), tempfile.TemporaryFile() as file:
        links: dict[tuple[int, int], str] = {}
        for path, name, status in _walk(folder):
            _add(file, path, name, status, links)
        file.write(END)
        file.flush()
        return os.dup(file.fileno())


def _walk(folder: Path) -> Iterator[tuple[Path, str, os.stat_result]]:
    """`folder` and everything below it, each with its path in the tree, folders before what is in them."""
    with os_errors(str(folder)):
        top = folder.stat()
    waiting = [(folder, "")]
    while waiting:
        path, name = waiting.pop()
        with os_errors(str(path)):
            status = path.lstat() if name else top
        yield path, name, status
        if stat.S_ISDIR(status.st_mode) and status.st_dev == top.st_dev:
            with os_errors(str(path)), os.scandir(path) as entries:
                # Sorted as bytes, so that the locale has no say; the last goes first off the stack.
                names = sorted((entry.name for entry in entries), key=os.fsencode, reverse=True)
            waiting.extend((path / child, f"{name}/{child}" if name else child) for child in names)


def _add(
    file: BinaryIO, path: Path, name: str, status: os.stat_result, links: dict[tuple[int, int], str]
) -> None:
    kind = _KINDS.get(stat.S_IFMT(status.st_mode))
    if kind is None:
        return
    if kind != DIRECTORY and status.st_nlink > 1:
        first = links.setdefault((status.st_dev, status.st_ino), name)
        if first != name:
            file.write(header(_entry(path, name, status, HARD_LINK, first)))
            return
    file.write(header(_entry(path, name, status, kind, _target(path) if kind == SYMLINK else "")))
    if kind == FILE:
        _add_content(file, path, status)


def _add_content(file: BinaryIO, path: Path, status: os.stat_result) -> None:
    with os_errors(str(path)):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as content:  # noqa: PTH123
        left = status.st_size
        while left:
            with os_errors(str(path)):
                piece = content.read(min(left, _READ))
            if not piece:
                raise TransportError(str(path), "became shorter while it was read")
            file.write(piece)
            left -= len(piece)
        with os_errors(str(path)):
            now = os.fstat(descriptor)
    same = (now.st_ino, now.st_size, now.st_mtime_ns) == (status.st_ino, status.st_size, status.st_mtime_ns)
    if not same:
        raise TransportError(str(path), "changed while it was read")
    file.write(padding(status.st_size))


def _entry(path: Path, name: str, status: os.stat_result, kind: str, link: str) -> Entry:
    device = kind in (CHARACTER, BLOCK)
    return Entry(
        path=name,
        kind=kind,
        size=status.st_size if kind == FILE else 0,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        mtime=int(status.st_mtime_ns // 1_000_000_000),
        link=link,
        digest=b"",
        start=0,
        xattrs=() if kind == HARD_LINK else _xattrs(path),
        device=(os.major(status.st_rdev), os.minor(status.st_rdev)) if device else (0, 0),
    )


def _target(path: Path) -> str:
    with os_errors(str(path)):
        return os.readlink(path)  # noqa: PTH115 - a Path would tidy it up


def _xattrs(path: Path) -> tuple[tuple[str, bytes], ...]:
    with os_errors(str(path)):
        try:
            names = os.listxattr(path, follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.ENOTSUP:
                return ()
            raise
        return tuple(
            (name, os.getxattr(path, name, follow_symlinks=False))
            for name in sorted(names)
            if not name.startswith(_HOSTS_XATTRS)
        )
