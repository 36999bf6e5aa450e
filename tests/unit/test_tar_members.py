from __future__ import annotations

import io
import tarfile

import pytest

from archive_samples import link, tar_of
from deadweight.errors import InvalidDocument
from deadweight.transport.tar_members import Member, walk


def members(data: bytes) -> list[Member]:
    return list(walk(lambda offset, length: data[offset : offset + length], "x.tar"))


def test_members_lie_where_they_say() -> None:
    data = tar_of({"./a": b"one", "dir/b": b"x" * 513, "c": b""})
    found = {member.name: data[member.offset :][: member.size] for member in members(data)}
    assert found == {"a": b"one", "dir/b": b"x" * 513, "c": b""}


def test_links_keep_their_targets() -> None:
    found = members(tar_of([link("a", "../b"), link("c", "d", hard=True)]))
    assert [(member.kind, member.link, member.size) for member in found] == [("l", "../b", 0), ("h", "d", 0)]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_of_every_format(form: int) -> None:
    name = "/".join(["directory" * 5] * 4) + "/file"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        archive.addfile(tarfile.TarInfo(name))
    assert [member.name for member in members(buffer.getvalue())] == [name]


def test_an_archive_may_lack_its_end() -> None:
    data = tar_of({"a": b"one"})[:1024]
    assert [member.name for member in members(data)] == ["a"]


@pytest.mark.parametrize("data", [b"", b"no tar", b"x" * 2048, tar_of({"a": b"one"})[:300]])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidDocument, match=r"x\.tar: is no tar archive"):
        members(data)


def test_a_broken_header_is_named_by_its_place() -> None:
    data = bytearray(tar_of({"a": b"one", "b": b"two"}))
    data[1024] ^= 1
    with pytest.raises(InvalidDocument, match="the member at byte 1024 has a wrong header checksum"):
        members(bytes(data))


def test_a_negative_size_is_refused() -> None:
    info = tarfile.TarInfo("a")
    info.size = -512
    with pytest.raises(InvalidDocument, match="claims a size"):
        members(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def test_a_name_that_climbs_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="climbs"):
        members(tar_of({"a/../../b": b""}))


def test_a_cut_extension_header_is_refused() -> None:
    info = tarfile.TarInfo("long" * 60)
    data = info.tobuf(tarfile.PAX_FORMAT)
    with pytest.raises(InvalidDocument, match="ends in the middle of an extension header"):
        members(data[:600])
