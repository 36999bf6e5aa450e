"""Members of a ZIP archive (PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4), read from what is kept of it.

Only what a stranger's archive can be trusted with is read: few members, the start of each, and never more compressed bytes
than the archive has, however often its directory names them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from deadweight.layer.collect import Content
from deadweight.layer.content import Whole

MAX_WANTED = 5_000
"""The most members of one archive that are looked at."""
MAX_GROWTH = 4
"""How much larger than packed a member that is read as a whole may be, beyond `MIN_GROWN` bytes."""
MIN_GROWN = 4096
STORED = 0
DEFLATED = 8

_DIRECTORY_ENTRY = struct.Struct("<4s4xHH8xL4xHHH8xL")
_END = struct.Struct("<4s4xHHLLH")
_END_64 = struct.Struct("<4s28xQQQ")
_LOCATOR_64 = struct.Struct("<4s4xQ4x")
_LOCAL = struct.Struct("<4s22xHH")
_MAX_COMMENT = 0xFFFF


class BadZip(ValueError):
    """What is no ZIP archive, or a broken one."""


class Member(NamedTuple):
    """One file in an archive; `offset` is that of its local header in the archive."""

    name: str
    method: int
    packed: int
    """Compressed bytes."""
    offset: int


class Archive:
    """The members of the archive in `content` whose names `wanted` picks.

    Raises `BadZip`, and `ContentGap` where its directory was not kept.
    """

    def __init__(self, content: Content, wanted: Callable[[bytes], object]) -> None:
        self._content = content
        self._left = content.size
        self.members = _members(content, wanted)

    def read(self, member: Member, length: int) -> bytes:
        """The first `length` bytes of `member`. Raises `BadZip`, and `ContentGap` where they were not kept."""
        slack = 0 if member.method == STORED else (length >> 3) + 1024  # deflate may add a little
        data = self._take(member, min(member.packed, length + slack))
        if member.method == STORED:
            return data
        return _inflate(member, data, length)

    def open(self, member: Member) -> Content:
        """The whole content of `member`: one that is an archive itself, which hardly shrinks when it is packed.

        Raises `BadZip`; `ContentGap`, here or when it is read, for what was not kept.
        """
        if member.method == STORED:
            start = self._charge(member, member.packed)
            return _Part(self._content, start, member.packed)
        limit = max(MIN_GROWN, MAX_GROWTH * member.packed)
        data = _inflate(member, self._take(member, member.packed), limit + 1)
        if len(data) > limit:
            raise BadZip(f"{member.name!r} expands to more than {limit} bytes")
        return Whole(data)

    def _take(self, member: Member, length: int) -> bytes:
        return self._content.read(self._charge(member, length), length)

    def _charge(self, member: Member, length: int) -> int:
        """Where the bytes of `member` begin, `length` of which are to be read."""
        self._left -= length
        if self._left < 0:
            raise BadZip("holds the same bytes under many names")
        header = self._content.read(member.offset, _LOCAL.size)
        signature, name, extra = _LOCAL.unpack(header) if len(header) == _LOCAL.size else (b"", 0, 0)
        if signature != b"PK\3\4":
            raise BadZip(f"has no header for {member.name!r} at byte {member.offset}")
        return member.offset + _LOCAL.size + int(name) + int(extra)


class _Part:
    """Some bytes of a content, as a content."""

    def __init__(self, content: Content, start: int, size: int) -> None:
        self._content = content
        self._start = start
        self.size = max(0, min(size, content.size - start))

    def read(self, offset: int, length: int) -> bytes:
        return self._content.read(self._start + offset, max(0, min(length, self.size - offset)))


def _inflate(member: Member, data: bytes, length: int) -> bytes:
    if member.method != DEFLATED:
        raise BadZip(f"{member.name!r} is compressed by method {member.method}")
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, length)
    except zlib.error as error:
        raise BadZip(f"{member.name!r} is not valid deflate data: {error}") from None


def _members(content: Content, wanted: Callable[[bytes], object]) -> list[Member]:
    count, size, start, shift = _directory(content)
    directory = content.read(start, size)
    unpack, length = _DIRECTORY_ENTRY.unpack_from, _DIRECTORY_ENTRY.size
    found = []
    position = 0
    try:
        for _ in range(count):
            entry = unpack(directory, position)
            signature, flags, method, packed, names, extras, comments, offset = entry
            if signature != b"PK\1\2":
                raise BadZip(f"has a broken directory at byte {start + position}")
            name = directory[position + length : position + length + names]
            position += length + names + extras + comments
            if wanted(name) and not flags & 1:
                found.append(Member(name.decode("utf-8", "replace"), method, packed, offset + shift))
                if len(found) > MAX_WANTED:
                    raise BadZip(f"has more than {MAX_WANTED} members that describe it")
    except struct.error:
        raise BadZip("has a directory that is cut off") from None
    return found


def _directory(content: Content) -> tuple[int, int, int, int]:
    """Members, bytes and place of the directory, and how far everything is moved by what stands before the archive."""
    tail_start = max(0, content.size - _END.size - _MAX_COMMENT)
    tail = content.read(tail_start, content.size - tail_start)
    at = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
    if at < 0:
        raise BadZip("is no ZIP archive")
    _, _, count, size, offset, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    if count == 0xFFFF or size == 0xFFFFFFFF or offset == 0xFFFFFFFF:
        count, size, offset, end = _directory_64(content, end) or (count, size, offset, end)
    start = end - size
    if start < 0 or offset > start:
        raise BadZip("has a directory that lies outside of it")
    return count, size, start, start - offset


def _directory_64(content: Content, end: int) -> tuple[int, int, int, int] | None:
    """The same of an archive with a ZIP64 end record; None if it has none."""
    locator = content.read(max(0, end - _LOCATOR_64.size), _LOCATOR_64.size)
    if len(locator) < _LOCATOR_64.size or not locator.startswith(b"PK\6\7"):
        return None
    # The record lies right before the locator: its offset does not count what stands before the archive.
    end -= _LOCATOR_64.size + _END_64.size
    record = content.read(max(0, end), _END_64.size)
    if len(record) < _END_64.size or not record.startswith(b"PK\6\6"):
        return None
    _, count, size, offset = _END_64.unpack(record)
    return count, size, offset, end
