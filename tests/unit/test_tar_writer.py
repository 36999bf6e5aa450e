from __future__ import annotations

import io
import tarfile

import pytest

from deadweight.errors import DigestMismatch
from deadweight.layer.entry import CHARACTER, DIRECTORY, FILE, HARD_LINK, SYMLINK, Entry
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.transport.layout_files import blob_path
from deadweight.transport.tar_writer import END, ImageArchive, header, padding


def read(*entries: Entry) -> list[tarfile.TarInfo]:
    """`entries` as tarfile reads them; their content is zeros."""
    data = b"".join(header(entry) + bytes(entry.size) + padding(entry.size) for entry in entries) + END
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getmembers()


def an_entry(path: str = "a", kind: str = FILE, size: int = 0, link: str = "") -> Entry:
    return Entry(path, kind, size, 0o644, 0, 0, 0, link, b"", 0)


def test_all_fields() -> None:
    entry = Entry("a", FILE, 3, 0o4755, 1000, 1001, 1700000000, "", b"", 0)
    (found,) = read(entry)
    assert (found.name, found.size, found.mode) == ("a", 3, 0o4755)
    assert (found.uid, found.gid, found.mtime) == (1000, 1001, 1700000000)
    assert found.isreg()


def test_kinds() -> None:
    device = an_entry("null", CHARACTER)._replace(device=(1, 3))
    found = read(
        an_entry("", DIRECTORY), an_entry("d", DIRECTORY), an_entry("s", SYMLINK, link="../x"), device,
        an_entry("h", HARD_LINK, link="d/f"),
    )  # fmt: skip
    assert [info.name for info in found] == [".", "d", "s", "null", "h"]
    assert found[1].isdir()
    assert (found[2].issym(), found[2].linkname) == (True, "../x")
    assert (found[3].ischr(), found[3].devmajor, found[3].devminor) == (True, 1, 3)
    assert (found[4].islnk(), found[4].linkname) == (True, "d/f")


@pytest.mark.parametrize("length", [99, 100, 101, 500, 4000])
def test_names_of_any_length(length: int) -> None:
    name = "n" * length
    found = read(an_entry(name), an_entry("link", SYMLINK, link=name))
    assert [found[0].name, found[1].linkname] == [name, name]


def test_names_that_are_not_utf8_keep_their_bytes() -> None:
    name = b"\xff" * 120
    (found,) = read(an_entry(name.decode("utf-8", "surrogateescape")))
    assert found.name.encode("utf-8", "surrogateescape") == name


@pytest.mark.parametrize("value", [0o7777777, 0o7777777 + 1, 1 << 31, (1 << 32) - 1])
def test_large_owners(value: int) -> None:
    (found,) = read(an_entry()._replace(uid=value, gid=value))
    assert (found.uid, found.gid) == (value, value)


@pytest.mark.parametrize("value", [-1, -(1 << 40), 8**11 - 1, 8**11, 1 << 50])
def test_times_outside_of_octal(value: int) -> None:
    assert read(an_entry()._replace(mtime=value))[0].mtime == value


def test_a_size_over_8_gib_does_not_change_the_headers_length() -> None:
    block = header(an_entry(size=9 << 30))
    assert len(block) == 512
    assert tarfile.TarInfo.frombuf(block, "utf-8", "strict").size == 9 << 30


def test_extended_attributes() -> None:
    value = b"\x01\x00\x00\x02=\n\xff" * 20
    (found,) = read(an_entry()._replace(xattrs=(("user.b", b"1"), ("security.capability", value))))
    records = {key: text.encode("utf-8", "surrogateescape") for key, text in found.pax_headers.items()}
    assert records == {"SCHILY.xattr.user.b": b"1", "SCHILY.xattr.security.capability": value}


@pytest.mark.parametrize("length", range(80, 105))
def test_the_length_of_a_record_counts_itself(length: int) -> None:
    (found,) = read(an_entry()._replace(xattrs=(("user.x", b"v" * length),)))
    assert found.pax_headers == {"SCHILY.xattr.user.x": "v" * length}


def archive_of(*blobs: bytes) -> tuple[io.BytesIO, ImageArchive]:
    file = io.BytesIO()
    archive = ImageArchive(file)
    for blob in blobs:
        archive.add_blob(iter([blob]), blob_path, "", None)
    return file, archive


def names_in(file: io.BytesIO) -> list[str]:
    file.seek(0)
    with tarfile.open(fileobj=file) as archive:
        return archive.getnames()


def test_blobs_are_named_by_their_digests() -> None:
    file, archive = archive_of(b"one", b"x" * 512)
    archive.add("index.json", b"{}")
    archive.finish()
    expected = [blob_path(Digest.of(b"one")), blob_path(Digest.of(b"x" * 512)), "index.json"]
    assert names_in(file) == expected
    assert len(file.getvalue()) == 512 * (2 + 2 + 2 + 2)


def test_a_blob_that_is_there_is_not_written_again() -> None:
    once, archive = archive_of(b"one")
    archive.finish()
    twice, archive = archive_of(b"one", b"one")
    assert archive.has(blob_path(Digest.of(b"one")))
    archive.finish()
    assert once.getvalue() == twice.getvalue()


def test_a_wrong_blob_leaves_no_trace() -> None:
    file, archive = archive_of(b"one")
    with pytest.raises(DigestMismatch):
        archive.add_blob(iter([b"x" * 2000]), blob_path, "", Descriptor("", Digest.of(b"y" * 2000), 2000))
    archive.add("index.json", b"{}")
    archive.finish()
    assert names_in(file) == [blob_path(Digest.of(b"one")), "index.json"]


def test_a_name_too_long_for_a_plain_header() -> None:
    file = io.BytesIO()
    archive = ImageArchive(file)
    expected = Descriptor("", Digest("sha512:" + "0" * 128), 0)
    with pytest.raises(DigestMismatch):
        archive.add_blob(iter([]), blob_path, "", expected)
    digest = Digest(
        "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
    )
    archive.add_blob(iter([]), blob_path, "", Descriptor("", digest, 0))
    archive.finish()
    assert names_in(file) == [blob_path(digest)]
