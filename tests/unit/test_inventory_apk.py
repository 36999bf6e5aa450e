from __future__ import annotations

from deadweight.inventory.apk import ApkReader
from deadweight.inventory.model import APK, Package
from language_samples import Files, found_in, inventory_of, layer_tar, problems_in

READER = ApkReader()
DATABASE = "lib/apk/db/installed"

MUSL = """C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
S:411
I:667648
T:the musl c library
L:MIT
o:musl
r:musl-old
p:so:libc.musl-x86_64.so.1=1 cmd:ldd=1.2.5-r0
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1def=
R:libc.musl-x86_64.so.1
"""
TOOL = """P:tool
V:2.0-r1
A:x86_64
L:Apache-2.0
o:tools
D:so:libc.musl-x86_64.so.1 /bin/sh openssl>=3 zlib=1.3 curl~8 edge@testing !old-tool pc:x
i:musl other
F:
R:init
F:usr/bin
M:0:0:700
R:tool
R:gone
F:usr/share/tool
"""
FILES: Files = {
    "lib/ld-musl-x86_64.so.1": b"loader",
    "lib/libc.musl-x86_64.so.1": "-> ld-musl-x86_64.so.1",
    "init": b"#!",
    "usr/bin/tool": b"tool",
    "usr/share/tool/data": b"nobody's",
}


def test_packages() -> None:
    found = found_in(READER, {DATABASE: f"{MUSL}\n{TOOL}\n", **FILES})
    assert found == {
        "musl": Package(
            APK,
            "musl",
            "1.2.5-r0",
            DATABASE,
            ("lib/ld-musl-x86_64.so.1", "lib/libc.musl-x86_64.so.1"),
            "x86_64",
            "musl",
            "MIT",
            provides=("so:libc.musl-x86_64.so.1", "cmd:ldd"),
        ),
        "tool": Package(
            APK,
            "tool",
            "2.0-r1",
            DATABASE,
            ("init", "usr/bin/tool"),
            "x86_64",
            "tools",
            "Apache-2.0",
            requires=tuple(
                (name,)
                for name in ("so:libc.musl-x86_64.so.1", "/bin/sh", "openssl", "zlib", "curl", "edge", "pc:x")
            ),
            install_if=("musl", "other"),
        ),
    }


def test_the_world_tells_what_was_asked_for() -> None:
    world = "tool=2.0-r1 !bash\ncmd:ldd\n"
    found = found_in(READER, {DATABASE: f"{MUSL}\n{TOOL}\nP:third\nV:1\n", "etc/apk/world": world})
    assert {name: package.wanted for name, package in found.items()} == {
        "tool": True,
        "musl": True,
        "third": False,
    }


def test_without_a_world_nothing_is_known_to_be_asked_for() -> None:
    assert found_in(READER, {DATABASE: MUSL})["musl"].wanted is None


def test_the_database_under_usr() -> None:
    files: Files = {"lib": "-> usr/lib", "usr/lib/apk/db/installed": MUSL, "usr/lib/ld-musl-x86_64.so.1": b""}
    package = found_in(READER, files)["musl"]
    assert package.source == "usr/lib/apk/db/installed"
    assert package.paths == ("usr/lib/ld-musl-x86_64.so.1",)


def test_only_the_last_database_counts() -> None:
    inventory = inventory_of(
        READER, layer_tar({DATABASE: f"{MUSL}\n{TOOL}", **FILES}), layer_tar({DATABASE: MUSL})
    )
    assert [package.name for package in inventory.packages] == ["musl"]
    assert "usr/bin/tool" not in inventory.owners


def test_a_deleted_database_counts_no_more() -> None:
    removed = layer_tar({"lib/apk/db/.wh.installed": b""})
    assert inventory_of(READER, layer_tar({DATABASE: MUSL}), removed).packages == ()


def test_a_database_elsewhere_is_not_the_systems() -> None:
    assert found_in(READER, {"srv/root/lib/apk/db/installed": MUSL}) == {}


def test_names_that_are_no_lines_of_text_are_left_out() -> None:
    assert found_in(
        READER, {DATABASE: b"P:\x1b[31mred\nV:1\n\nP:\xff\nV:1\n\nV:2\n\nP:fine\nV:\x00\n"}
    ).keys() == {"fine"}


def test_a_path_that_is_not_utf_8() -> None:
    files: Files = {DATABASE: b"P:tool\nF:usr\nR:caf\xe9\n", "usr/caf\udce9": b"1"}
    assert found_in(READER, files)["tool"].paths == ("usr/caf\udce9",)


def test_a_database_that_is_too_large_is_a_problem() -> None:
    huge = b"P:tool\n" + bytes(READER.collector.limit)
    (problem,) = problems_in(READER, {DATABASE: huge})
    assert problem == "lib/apk/db/installed: is larger than the 33554432 bytes that are read"
