"""Tar archives written deterministically: ustar headers, pax records where they do not suffice (POSIX.1-2017, pax)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

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
from deadweight.layer.tar_header import BLOCK_SIZE, XATTR_PREFIX
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.transport.incoming import receive
from deadweight.transport.tar_members import padded

END = bytes(2 * BLOCK_SIZE)

_NAME_SIZE = 100

_TYPES = {
    FILE: b"0",
    HARD_LINK: b"1",
    SYMLINK: b"2",
    CHARACTER: b"3",
    BLOCK: b"4",
    DIRECTORY: b"5",
    FIFO: b"6",
}


class ImageArchive:
    """The tar archive of an image, written to `file` from its position on: blobs as they come, then documents.

    Members have mode 0644, owner 0, time 0. The same blobs in the same order give the same bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._names: set[str] = set()

    def has(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str, data: bytes) -> None:
        """A member of `data`; nothing happens when `name` is there already."""
        if name not in self._names:
            self._file.write(header(_member(name, len(data))) + data + padding(len(data)))
            self._names.add(name)

    def add_blob(
        self,
        chunks: Iterator[bytes],
        name_of: Callable[[Digest], str],
        media_type: str,
        expected: Descriptor | None,
    ) -> Descriptor:
        """A member of all `chunks`, named after their digest. It is taken back where `receive` raises, or when it is
        there already.
        """
        start = self._file.tell()
        # The name is known at the end only, but not its length.
        likely = expected.digest if expected else Digest.of(b"")
        self._file.write(bytes(len(header(_member(name_of(likely), 0)))))
        try:
            received = receive(chunks, self._file.write, media_type, expected)
        except BaseException:
            self._truncate(start)
            raise
        name = name_of(received.digest)
        if name in self._names:
            self._truncate(start)
            return received
        self._file.write(padding(received.size))
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(header(_member(name, received.size)))
        self._file.seek(end)
        self._names.add(name)
        return received

    def finish(self) -> None:
        """Ends the archive."""
        self._file.write(END)

    def _truncate(self, size: int) -> None:
        self._file.seek(size)
        self._file.truncate()


def header(entry: Entry) -> bytes:
    """The header of `entry`, before it a pax header if need be. Content of `entry.size` bytes and `padding` follow.

    `entry.start` and `entry.digest` do not count.
    """
    path = _bytes(f"{entry.path or '.'}/" if entry.kind == DIRECTORY else entry.path)
    link = _bytes(entry.link)
    records = {_bytes(f"{XATTR_PREFIX}{name}"): value for name, value in entry.xattrs}
    if len(path) > _NAME_SIZE:
        records[b"path"] = path
    if len(link) > _NAME_SIZE:
        records[b"linkpath"] = link
    block = _block(entry, path, link)
    if not records:
        return block
    data = b"".join(_record(keyword, records[keyword]) for keyword in sorted(records))
    return _block(_member("pax", len(data)), b"pax", b"", b"x") + data + padding(len(data)) + block


def padding(size: int) -> bytes:
    """The zeros that follow content of `size` bytes."""
    return bytes(padded(size) - size)


def _member(name: str, size: int) -> Entry:
    return Entry(name, FILE, size, 0o644, 0, 0, 0, "", b"", 0)


def _block(entry: Entry, path: bytes, link: bytes, kind: bytes = b"") -> bytes:
    fields = (
        path[:_NAME_SIZE].ljust(_NAME_SIZE, b"\0"),
        _number(entry.mode, 8),
        _number(entry.uid, 8),
        _number(entry.gid, 8),
        _number(entry.size, 12),
        _number(entry.mtime, 12),
        b" " * 8,
        kind or _TYPES[entry.kind],
        link[:_NAME_SIZE].ljust(_NAME_SIZE, b"\0"),
        b"ustar\x0000",
        bytes(64),
        _number(entry.device[0], 8),
        _number(entry.device[1], 8),
    )
    block = b"".join(fields).ljust(BLOCK_SIZE, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _number(value: int, width: int) -> bytes:
    """Octal, or GNU's base-256 where the field is too short: the length of a header does not depend on numbers."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (value % (1 << (8 * width - 1)) | 1 << (8 * width - 1)).to_bytes(width, "big")


def _record(keyword: bytes, value: bytes) -> bytes:
    length = len(keyword) + len(value) + 3
    total = length + len(str(length))
    if len(str(total)) > len(str(length)):
        total += 1
    return b"%d %s=%s\n" % (total, keyword, value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
