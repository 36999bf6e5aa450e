from __future__ import annotations

import io
import tarfile
from typing import Literal

import pytest

from deadweight.layer.entry import Entry
from deadweight.layer.scanner import Scanner
from deadweight.passes.headers import renamed

LONG = "/".join(["folder" * 8] * 4)
FORMATS: list[Literal[0, 1, 2]] = [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]


def blocks_of(info: tarfile.TarInfo, kind: Literal[0, 1, 2]) -> bytes:
    return info.tobuf(kind, "utf-8", "surrogateescape")


def entry_of(blocks: bytes) -> Entry:
    """What our scanner reads in `blocks`, with zeros as content."""
    size = read_by_python(blocks).size
    scanner = Scanner(iter([memoryview(blocks + bytes(size + -size % 512) + bytes(1024))]), (), "layer")
    scanner.scan()
    (entry,) = scanner.entries
    return entry


def read_by_python(blocks: bytes) -> tarfile.TarInfo:
    with tarfile.open(fileobj=io.BytesIO(blocks + bytes(4096)), errors="surrogateescape") as archive:
        info = archive.next()
        assert info is not None
        return info


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("old", ["a", "b" * 120 + "/c", "d/" * 60 + "e"])
@pytest.mark.parametrize("new", ["x", LONG, "caf\u00e9", "not\udcffutf"])
def test_only_the_name_and_the_size_change(kind: Literal[0, 1, 2], old: str, new: str) -> None:
    info = tarfile.TarInfo(old)
    info.mode, info.uid, info.gid, info.mtime = 0o4751, 1000, 2000, 1_600_000_000
    info.uname, info.gname, info.size = "user", "group", 7
    if kind == tarfile.USTAR_FORMAT and "/c" in old:
        info.name = "short/" + old[:90]
    if kind == tarfile.PAX_FORMAT:
        info.pax_headers = {
            "SCHILY.xattr.security.capability": "\x01\x00",
            "mtime": "1600000000.25",
            "LIBARCHIVE.x": "1",
        }
    blocks = blocks_of(info, kind)
    before = entry_of(blocks)
    after = renamed(blocks, before._replace(path=new, size=3))
    assert entry_of(after) == before._replace(path=new, size=3, digest=entry_of(after).digest)
    read = read_by_python(after)
    assert (read.uname, read.gname, read.name) == ("user", "group", new)
    assert read.pax_headers.get("LIBARCHIVE.x") == info.pax_headers.get("LIBARCHIVE.x")
    assert read.mtime == (1600000000.25 if kind == tarfile.PAX_FORMAT else 1600000000)


@pytest.mark.parametrize("kind", FORMATS[:2])
@pytest.mark.parametrize("link", ["x", LONG])
def test_a_hard_link_gets_another_target(kind: Literal[0, 1, 2], link: str) -> None:
    info = tarfile.TarInfo("a")
    info.type, info.linkname = tarfile.LNKTYPE, LONG + "/old"
    before = entry_of(blocks_of(info, kind))
    assert entry_of(renamed(blocks_of(info, kind), before._replace(link=link))) == before._replace(link=link)


def test_a_comment_for_the_whole_archive_stays() -> None:
    comment = tarfile.TarInfo.create_pax_global_header({"comment": "1234abcd"})
    blocks = comment + blocks_of(tarfile.TarInfo("a"), tarfile.PAX_FORMAT)
    after = renamed(blocks, entry_of(blocks)._replace(path="b"))
    assert after.startswith(comment)
    assert entry_of(after).path == "b"


def test_a_large_size_is_written_as_gnu_tar_has_it() -> None:
    info = tarfile.TarInfo("a")
    blocks = blocks_of(info, tarfile.GNU_FORMAT)
    after = renamed(blocks, entry_of(blocks)._replace(size=1 << 40))
    assert tarfile.TarInfo.frombuf(after[:512], "utf-8", "surrogateescape").size == 1 << 40
