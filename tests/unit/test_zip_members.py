"""ZIP archives, those that `zipfile` writes and those that nobody should."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from deadweight.inventory import zip_members
from deadweight.inventory.zip_members import Archive, BadZip
from deadweight.layer.collect import ContentGap, ends
from deadweight.layer.content import Kept, Space, Whole


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def every(_: bytes) -> bool:
    return True


def read_all(data: bytes) -> dict[str, bytes]:
    archive = Archive(Whole(data), every)
    return {member.name: archive.read(member, 1 << 20) for member in archive.members}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"])
@pytest.mark.parametrize("comment", [b"", b"c" * 0xFFFF])
def test_members_are_read(method: int, before: bytes, comment: bytes) -> None:
    members = {"a": b"1" * 1000, "b/é": b"", "c": bytes(range(256))}
    assert read_all(before + zipped(members, method, comment)) == members


def test_only_wanted_members_are_there() -> None:
    archive = Archive(Whole(zipped({"a": b"", "b": b""})), lambda name: name == b"b")
    assert [member.name for member in archive.members] == ["b"]


def test_the_start_of_a_member() -> None:
    archive = Archive(Whole(zipped({"a": bytes(range(256)) * 100})), every)
    assert archive.read(archive.members[0], 5) == b"\0\1\2\3\4"


@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"])
def test_zip64(before: bytes) -> None:
    plain = zipped({"a": b"x"})
    end = plain[-22:]
    _, _, _, _, count, size, offset, _ = struct.unpack("<4sHHHHLLH", end)
    record = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(plain) - 22, 1)
    marked = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert read_all(before + plain[:-22] + record + locator + marked) == {"a": b"x"}


def kept(data: bytes, limit: int) -> Kept:
    """The first and the last `limit` bytes of `data`."""
    content = Kept(len(data), ends(len(data), limit), Space())
    content.append(memoryview(data))
    return content


def test_a_member_that_was_not_kept() -> None:
    members = {"a": b"x" * 100_000, "b": b"y" * 100_000, "c": b"z"}
    archive = Archive(kept(zipped(members, zipfile.ZIP_STORED), 80_000), every)
    a, b, c = archive.members
    assert archive.read(c, 100) == b"z"
    with pytest.raises(ContentGap):
        archive.read(b, 100)
    start = archive.open(a)
    assert start.read(0, 80_000 - 100) == b"x" * (80_000 - 100)
    with pytest.raises(ContentGap):
        start.read(0, 80_000)


def test_a_directory_that_was_not_kept() -> None:
    members = {f"{number:0200}": b"" for number in range(1000)}
    with pytest.raises(ContentGap):
        Archive(kept(zipped(members), 80_000), every)


def test_a_content_in_a_content_ends_where_it_should() -> None:
    archive = Archive(Whole(zipped({"a": b"12345", "b": b"x"}, zipfile.ZIP_STORED)), every)
    inner = archive.open(archive.members[0])
    assert (inner.size, inner.read(0, 100), inner.read(3, 100), inner.read(9, 9)) == (5, b"12345", b"45", b"")


def test_a_member_that_swells() -> None:
    archive = Archive(Whole(zipped({"a": b"\0" * 100_000})), every)
    with pytest.raises(BadZip, match="'a' expands to more than 4096 bytes"):
        archive.open(archive.members[0])


def test_one_content_under_many_names() -> None:
    data = zipped({f"{n:03}": bytes(1000) for n in range(100)}, zipfile.ZIP_STORED)
    archive = Archive(Whole(data), every)
    first = archive.members[0]
    for _ in range(len(data) // 1000):
        archive.read(first, 1000)
    with pytest.raises(BadZip, match="same bytes under many names"):
        archive.read(first, 1000)


def test_a_method_that_java_does_not_use() -> None:
    archive = Archive(Whole(zipped({"a": b"x"}, zipfile.ZIP_LZMA)), every)
    with pytest.raises(BadZip, match="'a' is compressed by method 14"):
        archive.read(archive.members[0], 1)


def test_encrypted_members_are_left_out() -> None:
    data = bytearray(zipped({"a": b"x"}))
    data[data.rindex(b"PK\1\2") + 8] |= 1
    assert Archive(Whole(bytes(data)), every).members == []


def test_broken_deflate_data() -> None:
    data = zipped({"a": b"x" * 100})
    start = 30 + len("a")  # behind the local file header (APPNOTE 4.3.7), which holds the time
    archive = Archive(Whole(data[:start] + b"\xff" + data[start + 1 :]), every)
    with pytest.raises(BadZip, match="'a' is not valid deflate data"):
        archive.read(archive.members[0], 100)


@pytest.mark.parametrize(
    ("offset", "value", "problem"),
    [
        (10, 2, "has a directory that is cut off"),
        (12, 0xFFFFFFF0, "has a directory that lies outside of it"),
        (12, 1000, "has a directory that lies outside of it"),
        (16, 1000, "has a directory that lies outside of it"),
        (12, 46, "has a broken directory at byte"),
    ],
)
def test_a_broken_directory(offset: int, value: int, problem: str) -> None:
    data = bytearray(zipped({"a": b"x"}))
    end = len(data) - 22
    struct.pack_into("<H" if offset == 10 else "<L", data, end + offset, value)
    with pytest.raises(BadZip, match=problem):
        read_all(bytes(data))


def test_a_directory_that_points_nowhere() -> None:
    data = bytearray(zipped({"a": b"x"}))
    entry = data.rindex(b"PK\1\2")
    struct.pack_into("<L", data, entry + 42, 3)
    with pytest.raises(BadZip, match="has no header for 'a' at byte 3"):
        read_all(bytes(data))
    struct.pack_into("<L", data, entry + 42, 0x7FFFFFFF)
    with pytest.raises(BadZip, match="has no header"):
        read_all(bytes(data))


def test_absurdly_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_members, "MAX_WANTED", 2)
    assert len(read_all(zipped({"a": b"", "b": b""}))) == 2
    with pytest.raises(BadZip, match="more than 2 members"):
        read_all(zipped({"a": b"", "b": b"", "c": b""}))
