"""A tar archive as `Files`: members are read in place, never unpacked."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from deadweight.errors import InvalidDocument, LimitExceeded, NotFound
from deadweight.layer.decompress import UNCOMPRESSED, decoded, sniff
from deadweight.layer.entry import FILE, HARD_LINK, SYMLINK
from deadweight.layer.stored import require_within, tar_limit
from deadweight.transport.files import open_range, open_regular, os_errors, read_document, reader_at
from deadweight.transport.tar_members import Member, walk

MAX_MEMBERS = 100_000
"""The most members of an archive of images: far more than `MAX_MANIFESTS` and `MAX_LAYERS` of real ones need."""
MAX_LINKS = 40
"""The most links from a name to its content, as Linux follows."""
FREE_SHARE = 0.8
"""How much of the free space for temporary files a compressed archive may expand to."""


class TarFiles:
    """The members of an uncompressed tar archive in the open file `descriptor`, which it owns."""

    def __init__(self, descriptor: int, subject: str) -> None:
        self._descriptor = descriptor
        self._subject = subject
        self._members: dict[str, Member] = {}
        self._repeated: set[str] = set()
        try:
            self._read_members(os.fstat(descriptor).st_size)
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def at(cls, path: Path) -> Self:
        """The archive at `path`, which may be compressed; then it is inflated into a temporary file first."""
        descriptor, _ = open_regular(path)
        return cls(inflated(descriptor, str(path)), str(path))

    @property
    def subject(self) -> str:
        return self._subject

    def has(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        return self._file(name).size

    def open(self, name: str) -> BinaryIO:
        member = self._file(name)
        return open_range(os.dup(self._descriptor), member.offset, member.size, f"{self._subject}: {name}")

    def read(self, name: str) -> bytes:
        # Of two members with one name some tools take the first, some the last: the image would be a matter of taste.
        if name in self._repeated:
            raise InvalidDocument(self._subject, f"holds {name!r} more than once")
        return read_document(self, name)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read_members(self, size: int) -> None:
        read_at = reader_at(self._descriptor, self._subject)
        for count, member in enumerate(walk(read_at, self._subject), 1):
            if count > MAX_MEMBERS:
                raise LimitExceeded(self._subject, f"holds more than {MAX_MEMBERS} members")
            if member.offset + member.size > size:
                problem = f"is cut off: {member.name!r} should go on to byte {member.offset + member.size}"
                raise InvalidDocument(self._subject, problem)
            if member.name in self._members:
                self._repeated.add(member.name)
            self._members[member.name] = member

    def _file(self, name: str) -> Member:
        """The regular file that `name` leads to, through links if need be."""
        wanted = name
        for _ in range(MAX_LINKS):
            member = self._members.get(name)
            if member is None:
                raise NotFound(self._subject, f"holds no {wanted!r}")
            if member.kind == FILE:
                return member
            if member.kind == SYMLINK:
                name = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.link))
                if name.startswith(("../", "/")):
                    raise InvalidDocument(
                        self._subject, f"{wanted!r} is a link that leads out of the archive"
                    )
            elif member.kind == HARD_LINK:
                name = member.link
            else:
                raise InvalidDocument(self._subject, f"{wanted!r} is no file")
        raise InvalidDocument(self._subject, f"{wanted!r} leads through more than {MAX_LINKS} links")


def inflated(descriptor: int, subject: str) -> int:
    """`descriptor`, or if it is a gzip or zstd file, that of a nameless temporary file with the uncompressed bytes.

    Takes `descriptor` over. Raises `InvalidLayer` for a broken stream and `LimitExceeded` for one that would fill
    the disk.
    """
    size = os.fstat(descriptor).st_size
    with open_range(descriptor, 0, size, subject) as stream:
        head = reader_at(descriptor, subject)(0, 4)
        if sniff(head) == UNCOMPRESSED:
            return os.dup(descriptor)
        return _into_file(inflating(stream, size, subject), subject)


def inflating(stream: BinaryIO, stored: int, subject: str) -> Iterator[bytes]:
    """What the `stored` bytes of `stream` expand to. Raises `InvalidLayer`, and `LimitExceeded` for a bomb."""
    limit = tar_limit(stored)
    size = 0
    for piece in decoded(stream, subject):
        size += len(piece)
        require_within(subject, size, limit)
        yield piece


def _into_file(pieces: Iterator[bytes], subject: str) -> int:
    import tempfile  # only compressed archives need it

    with os_errors("the folder for temporary files"), tempfile.TemporaryFile(buffering=0) as file:
        status = os.fstatvfs(file.fileno())
        limit = int(status.f_bavail * status.f_frsize * FREE_SHARE)
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > limit:
                problem = f"expands to more than {limit} bytes, {FREE_SHARE:.0%} of the free space"
                raise LimitExceeded(subject, problem, "make room, or set TMPDIR")
            _write(file.fileno(), piece)
        return os.dup(file.fileno())


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
