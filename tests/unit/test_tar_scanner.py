"""The tar scanner: every format that writers use, and what hostile ones try."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Callable, Iterator

import pytest

from deadweight.errors import DeadweightError, InvalidLayer
from deadweight.layer.collect import Content, Fact, ends
from deadweight.layer.entry import CHARACTER, DIRECTORY, FIFO, FILE, HARD_LINK, SYMLINK, Entry
from deadweight.layer.scanner import Scanner


def scan(data: bytes, piece: int = 1 << 20, *collectors: Marker) -> Scanner:
    """The scanner after reading `data` in pieces."""
    pieces: Iterator[memoryview] = (memoryview(data)[at : at + piece] for at in range(0, len(data), piece))
    scanner = Scanner(pieces, collectors, "layer x")
    scanner.scan()
    return scanner


def entries(data: bytes) -> list[Entry]:
    return scan(data).entries


def tar(
    *members: tuple[tarfile.TarInfo, bytes],
    kind: int = tarfile.PAX_FORMAT,
    pax: dict[str, str] | None = None,
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind, pax_headers=pax or {}) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def header(name: bytes = b"f", size: bytes = b"00000000000\0", typeflag: bytes = b"0", **at: bytes) -> bytes:
    """A hand-made header block with a right checksum; `at` gives fields by name."""
    fields = {
        "mode": b"0000644\0",
        "uid": b"0000000\0",
        "gid": b"0000000\0",
        "mtime": b"00000000000\0",
        "link": b"",
        "magic": b"ustar\x0000",
        "devices": b"",
        "prefix": b"",
    } | at
    block = b"".join(
        [
            name.ljust(100, b"\0"),
            fields["mode"],
            fields["uid"],
            fields["gid"],
            size,
            fields["mtime"],
            b" " * 8,
            typeflag,
            fields["link"].ljust(100, b"\0"),
            fields["magic"],
            bytes(64),
            fields["devices"].ljust(16, b"\0"),
            fields["prefix"].ljust(155, b"\0"),
            bytes(12),
        ]
    )
    assert len(block) == 512
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


END = bytes(1024)


class Marker:
    """A collector that keeps what it saw."""

    name = "marker"
    version = 1
    suffixes: frozenset[str] = frozenset()
    magics: frozenset[bytes] = frozenset({b"\x7fELF"})

    def __init__(self, limit: int = 1 << 20) -> None:
        self.names = frozenset({"wanted"})
        self.limit = limit
        self.seen: dict[str, Content] = {}

    def wants(self, path: str, size: int) -> bool:
        return not path.startswith("not/")

    def parts(self, size: int, start: bytes) -> tuple[range, ...]:
        return ends(size, self.limit)

    def collect(self, path: str, content: Content) -> Fact:
        return content.read(0, content.size).decode("latin-1")


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("piece", [1, 7, 511, 512, 513, 4096, 1 << 20])
def test_every_format_in_pieces_of_any_size(kind: int, piece: int) -> None:
    long = "directory/" * 9 + "n" * 60
    data = tar(
        member("d", type=tarfile.DIRTYPE, mode=0o755),
        member("d/f", b"hello", mode=0o4755, uid=1000, gid=100, mtime=12345),
        member("d/big", b"x" * 3000),
        member(long, b"long"),
        member("l", type=tarfile.SYMTYPE, linkname="d/f"),
        member("h", type=tarfile.LNKTYPE, linkname="./d/f"),
        member("p", type=tarfile.FIFOTYPE),
        member("c", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        kind=kind,
    )
    found = {entry.path: entry for entry in scan(data, piece).entries}
    assert [entry.kind for entry in found.values()] == [
        DIRECTORY, FILE, FILE, FILE, SYMLINK, HARD_LINK, FIFO, CHARACTER,
    ]  # fmt: skip
    file = found["d/f"]
    assert (file.mode, file.uid, file.gid, file.mtime, file.size) == (0o4755, 1000, 100, 12345, 5)
    assert file.digest == hashlib.sha256(b"hello").digest()
    assert found["d/big"].digest == hashlib.sha256(b"x" * 3000).digest()
    assert found[long].size == 4
    assert found["l"].link == "d/f"
    assert found["h"].link == "d/f"
    assert found["c"].device == (1, 3)


def test_starts_are_those_of_the_extension_headers() -> None:
    data = tar(member("a", b"1"), member("ä" * 80, b"2"), member("z", b"3"))
    starts = [entry.start for entry in entries(data)]
    assert starts[0] == 0
    assert starts[1] == 1024
    assert starts[2] - starts[1] == 512 * 4


def test_pax_values_win() -> None:
    info, content = member("short", b"abc")
    info.pax_headers = {"path": "pax/name", "uid": "3000000", "SCHILY.xattr.user.x": "v", "mtime": "17.5"}
    (entry,) = entries(tar((info, content)))
    assert (entry.path, entry.uid, entry.mtime, entry.xattrs) == (
        "pax/name",
        3000000,
        17,
        (("user.x", b"v"),),
    )


def test_numbers_in_base_256() -> None:
    big = (1 << 63 | 70000).to_bytes(8, "big")
    (entry,) = entries(header(uid=big) + END)
    assert entry.uid == 70000


def test_absolute_names_and_dots_are_taken_from_the_root() -> None:
    data = header(b"/etc/./x//y") + header(b"./z") + header(b"./", typeflag=b"5") + END
    assert [entry.path for entry in entries(data)] == ["etc/x/y", "z", ""]


def test_old_tars_mark_directories_by_a_slash() -> None:
    (entry,) = entries(header(b"dir/", typeflag=b"\0", magic=bytes(8)) + END)
    assert (entry.path, entry.kind) == ("dir", DIRECTORY)


def test_gits_global_comment_is_passed_over() -> None:
    data = tar(member("f", b"1"), pax={"comment": "0" * 40})
    assert [entry.path for entry in entries(data)] == ["f"]


def test_bytes_that_are_not_utf_8_survive() -> None:
    (entry,) = entries(header(b"caf\xe9") + END)
    assert entry.path.encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_a_stream_may_end_without_blocks_of_zeros() -> None:
    assert len(entries(header())) == 1


def test_what_follows_the_end_is_no_part_of_the_tree() -> None:
    data = header() + END + b"anything"
    scanner = scan(data)
    assert len(scanner.entries) == 1
    assert scanner.offset == len(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (header(b"../../etc/passwd"), "climbs"),
        (header(b"a/../../b"), "climbs"),
        (header(typeflag=b"1", link=b"../x"), "climbs"),
        (
            header(typeflag=b"L", size=b"00000000454\0") + (b"n" * 300).ljust(512, b"\0") + header(),
            "255 bytes in its path",
        ),
        (header(size=b"-0000000001\0"), "octal number"),
        (header(size=b"0000000008z\0"), "octal number"),
        (header(size=b"\xff" * 12), "claims a size of -1 bytes"),
        (header(size=b"\x80" + b"\xff" * 11), "claims a size of"),
        (header(typeflag=b"S"), "sparse"),
        (header(typeflag=b"Z"), "unknown type"),
        (header(typeflag=b"M"), "multi-volume"),
        (b"\1" * 512, "octal number"),
        (header()[:148] + b"0000001\0" + header()[156:], "checksum"),
        (header()[:300], "cut off in a tar header"),
        (header(size=b"00000001000\0") + bytes(20), "cut off in the content of 'f'"),
        (header(size=b"00000000003\0") + b"abc", "cut off in the padding"),
        (bytes(512) + header(), "single block of zeros"),
        (header(typeflag=b"x", size=b"77777777777\0"), "at most"),
        (header(typeflag=b"x", size=b"00000000005\0") + b"junk\n".ljust(512, b"\0"), "pax record"),
        (header(typeflag=b"x", size=b"00000000011\0") + b"9 path=/\n".ljust(512, b"\0"), "announces another"),
        (header(typeflag=b"g", size=b"00000000014\0") + b"12 path=xyz\n".ljust(512, b"\0"), "global header"),
        (
            header(typeflag=b"x", size=b"00000000016\0") + b"14 size=abcde\n".ljust(512, b"\0") + header(),
            "no number",
        ),
        (header(typeflag=b"L", size=b"00000200000\0") + b"a/" * 32768 + header(), "characters; at most"),
        (
            header(typeflag=b"x", size=b"00000000031\0")
            + b"25 GNU.sparse.major=1.00\n".ljust(512, b"\0")
            + header(),
            "sparse",
        ),
        (
            header(typeflag=b"x", size=b"00000000015\0") + b"13 path=a\0b\n\n".ljust(512, b"\0") + header(),
            "NUL",
        ),
    ],
)
def test_refusals_name_layer_and_offset(data: bytes, problem: str) -> None:
    with pytest.raises(InvalidLayer, match=problem) as caught:
        entries(data)
    assert caught.value.subject == "layer x"
    assert "at byte" in str(caught.value)


def test_a_collector_sees_names_and_magics() -> None:
    data = tar(
        member("a/wanted", b"1"),
        member("b", b"\x7fELF2"),
        member("not/wanted", b"3"),
        member("unwanted", b"4"),
    )
    for piece in (3, 512, 1 << 20):
        assert scan(data, piece, Marker()).facts == {"marker": {0: "1", 1: "\x7fELF2"}}


def test_of_a_large_content_the_wanted_parts_are_kept() -> None:
    content = random.Random(1).randbytes(300_000)
    wanted = (range(299_000, 400_000), range(100_000, 100_500), range(100_400, 101_000), range(-5, 10))
    seen: list[bytes] = []

    class Parts(Marker):
        def parts(self, size: int, start: bytes) -> tuple[range, ...]:
            seen.append(start)
            return wanted

        def collect(self, path: str, content: Content) -> Fact:
            seen.extend(content.read(*part) for part in ((0, 64 << 10), (100_000, 1000), (299_000, 5000)))
            for offset, length in ((64 << 10, 100), (100_500, 501), (99_999, 2)):
                with pytest.raises(LookupError):
                    content.read(offset, length)
            return None

    scan(tar(member("wanted", content)), 700, Parts())
    start = content[: 64 << 10]
    assert seen == [start, start, content[100_000:101_000], content[299_000:]]


@pytest.mark.parametrize("refuse", [lambda: entries(header(b"../x"))])
def test_errors_are_of_the_one_base_class(refuse: Callable[[], object]) -> None:
    with pytest.raises(DeadweightError):
        refuse()


def test_the_extensions_of_one_entry_are_bounded_together() -> None:
    record = b"%d k=%s\n" % (600_010, b"v" * 600_000)
    extension = header(b"x", b"%011o\0" % len(record), b"x") + record + bytes(-len(record) % 512)
    assert [entry.path for entry in entries(extension + header(b"f") + bytes(1024))] == ["f"]
    twice = (extension + header(b"f")) * 2
    assert [entry.path for entry in entries(twice + bytes(1024))] == ["f", "f"]
    with pytest.raises(InvalidLayer, match="extensions of more than"):
        entries(extension * 2 + header(b"f") + bytes(1024))


def test_names_are_bounded_in_bytes() -> None:
    assert entries(tar(member("é" * 127)))[0].path == "é" * 127
    with pytest.raises(InvalidLayer, match="more than 255 bytes"):
        entries(tar(member("é" * 128)))
