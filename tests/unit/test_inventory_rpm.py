from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

import rpm_samples
from deadweight.inventory.model import RPM, Package
from deadweight.inventory.rpm.database import headers
from deadweight.inventory.rpm.header import BASE_NAMES, DIR_INDEXES, DIR_NAMES, NAME, Header, package
from deadweight.inventory.rpm.pages import BrokenDatabase
from deadweight.inventory.rpm.reader import RpmReader
from deadweight.layer.content import Whole
from language_samples import Files, found_in, inventory_of, layer_tar, problems_in
from rpm_samples import berkeley_database, ndb_database, sqlite_database

READER = RpmReader()
NDB = "usr/lib/sysimage/rpm/Packages.db"
BASH = rpm_samples.package(
    "bash",
    "5.2",
    "3.fc39",
    ["/usr/", "/usr/bin/bash", "/usr/bin/sh", "/usr/share/doc/bash/", "/usr/share/doc/bash/gone"],
    EPOCH=[1],
    LICENSE="GPL-3.0-or-later",
    SOURCE_RPM="bash-5.2-3.fc39.src.rpm",
    REQUIRE_NAME=[
        "libc.so.6()(64bit)",
        "rpmlib(FileDigests)",
        "/usr/bin/id",
        "(a >= 1 or b(x86-64))",
        "libc.so.6()(64bit)",
    ],
    PROVIDE_NAME=["bash", "bash(x86-64)"],
)
COREUTILS = rpm_samples.package("coreutils", paths=["/usr/bin/id"])
FILES: Files = {
    "usr/bin/bash": b"1",
    "usr/bin/sh": "-> bash",
    "usr/bin/id": b"1",
    "usr/share/doc/bash/own": b"1",
}


def blobs(database: bytes) -> list[bytes]:
    return list(headers(Whole(database)))


def test_packages() -> None:
    assert found_in(READER, {NDB: ndb_database([BASH, COREUTILS]), **FILES}) == {
        "bash": Package(
            RPM,
            "bash",
            "1:5.2-3.fc39",
            NDB,
            ("usr/bin/bash", "usr/bin/sh"),
            "x86_64",
            "bash",
            "GPL-3.0-or-later",
            requires=(("libc.so.6()(64bit)",), ("/usr/bin/id",), ("a", "b(x86-64)")),
            provides=("bash", "bash(x86-64)"),
        ),
        "coreutils": Package(
            RPM, "coreutils", "1-1", NDB, ("usr/bin/id",), "x86_64", provides=("/usr/bin/id",)
        ),
    }


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_sqlite_of_any_page_size(tmp_path: Path, page_size: int) -> None:
    written = [BASH, b"", b"x" * 5000, b"y" * 200_000, *(b"%d" % number for number in range(3000))]
    assert blobs(sqlite_database(written, tmp_path, page_size)) == written


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("page_size", [512, 4096])
def test_berkeley_db_of_any_byte_order(order: str, page_size: int) -> None:
    written = [BASH, b"x" * 10, b"y" * 50_000]
    assert blobs(berkeley_database(written, order, page_size)) == written


def test_ndb_skips_free_slots() -> None:
    database = ndb_database([BASH, COREUTILS, b"third"])
    slot = 32 + 16
    freed = database[: slot + 4] + bytes(12) + database[slot + 16 :]
    assert blobs(freed) == [BASH, b"third"]


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("var/lib/rpm/rpmdb.sqlite", lambda folder: sqlite_database([COREUTILS], folder)),
        ("var/lib/rpm/Packages.db", lambda _: ndb_database([COREUTILS])),
        ("var/lib/rpm/Packages", lambda _: berkeley_database([COREUTILS])),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", lambda folder: sqlite_database([COREUTILS], folder)),
    ],
)
def test_where_databases_lie(tmp_path: Path, path: str, make: Callable[[Path], bytes]) -> None:
    assert found_in(READER, {path: make(tmp_path)})["coreutils"].source == path


def test_a_log_that_was_not_merged_is_a_problem(tmp_path: Path) -> None:
    files: Files = {
        "var/lib/rpm": "-> ../../usr/lib/sysimage/rpm",
        "usr/lib/sysimage/rpm/rpmdb.sqlite": sqlite_database([COREUTILS], tmp_path),
        "usr/lib/sysimage/rpm/rpmdb.sqlite-wal": b"log",
    }
    inventory = inventory_of(READER, layer_tar(files))
    assert [found.name for found in inventory.packages] == ["coreutils"]
    assert inventory.problems == (
        "usr/lib/sysimage/rpm/rpmdb.sqlite-wal: was not merged into the database: packages may be missing or out of date",
    )


def test_one_broken_header_does_not_hide_the_others() -> None:
    inventory = inventory_of(READER, layer_tar({NDB: ndb_database([BASH, b"broken!", COREUTILS])}))
    assert [found.name for found in inventory.packages] == ["bash", "coreutils"]
    assert inventory.problems == (f"{NDB}: has a header without its counts",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has none of the formats that rpm writes (sqlite, ndb, Berkeley DB)"),
        (b"RpmP", "ends in its header"),
        (b"RpmP" + struct.pack("<4I12x", 7, 0, 1, 0), "has version 7 of the ndb format, which is not known"),
        (b"RpmP" + struct.pack("<4I12x", 0, 0, 1000, 0), "is shorter than its 1000 pages of slots"),
        (b"SQLite format 3\0", "ends in its header"),
        (b"SQLite format 3\0" + b"\x10\x01" + bytes(4096), "has pages of 4097 bytes"),
        (b"SQLite format 3\0" + b"\x10\x00" + bytes(4096), "has a page of type 0 where a table should be"),
        (bytes(12) + b"\x61\x15\x06\0" + bytes(80), "has pages of 0 bytes"),
    ],
)
def test_databases_that_are_none(content: bytes, reason: str) -> None:
    assert problems_in(READER, {NDB: content or b"\0"}) == (f"{NDB}: {reason}",)


def test_sqlite_without_the_table(tmp_path: Path) -> None:
    database = sqlite_database([BASH], tmp_path).replace(b"Packages", b"Quackers")
    with pytest.raises(BrokenDatabase, match="has no table Packages"):
        blobs(database)


def test_sqlite_pages_that_form_a_circle(tmp_path: Path) -> None:
    database = bytearray(sqlite_database([b"x" * 5000], tmp_path, 512))
    page = database.index(b"x" * 100) // 512
    chain = database.index(b"x" * 508, (page + 1) * 512) - 4
    database[chain : chain + 4] = struct.pack(">I", chain // 512 + 1)
    with pytest.raises(BrokenDatabase, match="twice"):
        blobs(bytes(database))


def test_sqlite_cells_that_overlap(tmp_path: Path) -> None:
    database = bytearray(sqlite_database([b"x" * 100, *[b""] * 100], tmp_path))
    start = database.index(b"x" * 100) // 4096 * 4096
    first = database[start + 8 : start + 10]
    database[start + 3 : start + 5] = struct.pack(">H", 1000)
    database[start + 8 : start + 8 + 2000] = first * 1000
    with pytest.raises(BrokenDatabase, match="has rows larger than the file"):
        blobs(bytes(database))


def test_an_overflow_chain_that_forms_a_circle() -> None:
    database = bytearray(berkeley_database([b"x" * 5000]))
    database[3 * 512 + 16 : 3 * 512 + 20] = struct.pack("<I", 2)
    with pytest.raises(BrokenDatabase, match="refers to page 2 twice"):
        blobs(bytes(database))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({NAME: [1, 2]}, "tag 1000 is no text"),
        ({BASE_NAMES: ["a", "b"], DIR_INDEXES: [0], DIR_NAMES: ["/"]}, "file names have no directories"),
        ({BASE_NAMES: ["a"], DIR_INDEXES: [1], DIR_NAMES: ["/"]}, "file names have no directories"),
        (
            {BASE_NAMES: ["a"] * 100, DIR_INDEXES: [0] * 100, DIR_NAMES: ["/" + "x" * 5000]},
            "paths are longer than they can be",
        ),
    ],
)
def test_headers_that_are_wrong(values: dict[int, rpm_samples.Value], reason: str) -> None:
    with pytest.raises(BrokenDatabase, match=reason):
        package(rpm_samples.header(values))


@pytest.mark.parametrize("count", [0xFFFFFFFF, 2])
def test_strings_that_do_not_end(count: int) -> None:
    blob = struct.pack(">2I", 1, 2) + struct.pack(">4I", NAME, 8, 0, count) + b"a\0"
    with pytest.raises(BrokenDatabase, match="tag 1000"):
        Header(blob).strings(NAME)


def test_a_header_shorter_than_it_says() -> None:
    with pytest.raises(BrokenDatabase, match="shorter than it says"):
        Header(BASH[:-1])
