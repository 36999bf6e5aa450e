"""What ELF files need: found in the folders that the dynamic linkers search, and in no other way."""

from __future__ import annotations

import pytest

from deadweight.evidence.closure.elf import ElfClosure
from deadweight.evidence.model import Evidence
from debian_by_hand import Debian
from elf_samples import DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, ElfSample
from layers_by_hand import Member, file, link
from scenes import needed, scene_of


def elf(
    path: str, *libraries: str, rpath: str = "", runpath: str = "", interpreter: str = "", machine: int = 62
) -> Member:
    """An ELF file: a program where it has an interpreter, else a library."""
    names = {
        DT_NEEDED: libraries,
        DT_RPATH: [rpath] if rpath else [],
        DT_RUNPATH: [runpath] if runpath else [],
    }
    if not interpreter:
        names[DT_SONAME] = [path.rpartition("/")[2]]
    return file(path, ElfSample(machine=machine, interpreter=interpreter, names=names).content(), 0o755)


def evidence(*members: Member, start: str = "usr/bin/app", env: list[str] | None = None) -> Evidence:
    """What is needed for `start` in an image where each of `members` is in a package of its own."""
    debian = Debian()
    for number, member in enumerate(members):
        debian.add(f"package{number}", member)
    return needed(scene_of(*debian.layer, Env=env or []), [start], ElfClosure())


def kept(*members: Member, rule: str = "") -> set[str]:
    reasons = evidence(*members).reasons.items()
    return {path for path, reason in reasons if rule in ("", reason.rule) and not path.startswith("var/")}


def test_the_interpreter_libraries_and_links_to_them() -> None:
    loader = "/lib64/ld-linux-x86-64.so.2"
    found = kept(
        link("lib64", "usr/lib64"),
        link("lib", "usr/lib"),
        link("usr/lib64/ld-linux-x86-64.so.2", "../../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
        elf("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
        elf("usr/bin/app", "liba.so.1", interpreter=loader),
        link("usr/lib/x86_64-linux-gnu/liba.so.1", "liba.so.1.2"),
        elf("usr/lib/x86_64-linux-gnu/liba.so.1.2", "libb.so"),
        elf("usr/lib/libb.so"),
        elf("usr/lib/libc.so"),
        elf("usr/bin/other", interpreter=loader),
    )
    assert found == {
        "lib",
        "lib64",
        "usr/bin/app",
        "usr/lib64/ld-linux-x86-64.so.2",
        "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
        "usr/lib/x86_64-linux-gnu/liba.so.1",
        "usr/lib/x86_64-linux-gnu/liba.so.1.2",
        "usr/lib/libb.so",
    }


@pytest.mark.parametrize(
    ("app", "env", "where"),
    [
        (elf("usr/bin/app", "liba.so", interpreter="/ld"), ["LD_LIBRARY_PATH=/opt/a:/opt/b"], "opt/a"),
        (
            elf("usr/bin/app", "liba.so", runpath="/opt/b", interpreter="/ld"),
            ["LD_LIBRARY_PATH=/opt/a"],
            "opt/a",
        ),
        (
            elf("usr/bin/app", "liba.so", rpath="/opt/b", interpreter="/ld"),
            ["LD_LIBRARY_PATH=/opt/a"],
            "opt/b",
        ),
        (elf("usr/bin/app", "liba.so", rpath="/opt/a", runpath="/opt/b", interpreter="/ld"), [], "opt/b"),
        (
            elf("usr/bin/app", "liba.so", runpath="$ORIGIN/../../opt/${LIB}", interpreter="/ld"),
            [],
            "opt/lib64",
        ),
        (elf("usr/bin/app", "liba.so", runpath="relative:/nowhere", interpreter="/ld"), [], "srv/lib"),
        (elf("usr/bin/app", "/opt/b/liba.so", interpreter="/ld"), [], "opt/b"),
        (elf("usr/bin/app", "liba.so", interpreter="/ld", machine=183), [], "usr/lib"),
    ],
)
def test_the_order_of_folders(app: Member, env: list[str], where: str) -> None:
    reasons = evidence(
        app,
        file("etc/ld.so.conf", b"# as usual\ninclude ld.so.conf.d/*.conf\n"),
        file("etc/ld.so.conf.d/srv.conf", b"/srv/lib\n"),
        elf("opt/a/liba.so"),
        elf("opt/b/liba.so"),
        elf("opt/lib64/liba.so"),
        elf("srv/lib/liba.so"),
        elf("usr/lib/liba.so", machine=183),
        elf("ld"),
        env=env,
    ).reasons
    assert [path for path, reason in reasons.items() if reason.rule == "elf-needed"] == [f"{where}/liba.so"]


def test_what_loads_a_library_says_where_its_libraries_are() -> None:
    """DT_RPATH holds for all that is loaded, also where that is heard of late; DT_RUNPATH for one file alone."""
    members = [
        elf("usr/bin/app", "liba.so", "libb.so", interpreter="/ld"),
        elf("usr/lib/liba.so", "libc.so"),
        elf("usr/lib/libb.so", "liba.so", rpath="/opt/b"),
        elf("opt/b/libc.so"),
        elf("usr/lib/libc.so"),
        elf("opt/d/libc.so"),
    ]
    assert {"usr/lib/libc.so", "opt/b/libc.so"} <= kept(*members, rule="elf-needed")
    members[2] = elf("usr/lib/libb.so", "liba.so", runpath="/opt/b")
    assert "opt/b/libc.so" not in kept(*members, rule="elf-needed")


def test_a_library_in_no_folder_that_is_searched_is_taken_by_its_name() -> None:
    members = [
        elf("usr/bin/app", "libjvm.so", "libnone.so", interpreter="/ld"),
        elf("usr/lib/jvm/server/libjvm.so"),
        elf("usr/lib/jvm/32/libjvm.so", machine=3),
    ]
    assert kept(*members, rule="elf-needed-elsewhere") == {"usr/lib/jvm/server/libjvm.so"}


def test_what_is_loaded_into_every_program() -> None:
    members = [
        elf("usr/bin/app", interpreter="/ld"),
        elf("usr/lib/libfast.so.2"),
        elf("usr/lib/libother.so.1"),
        elf("opt/libthird.so"),
        elf("usr/lib/libfourth.so"),
        file("etc/ld.so.preload", b"/opt/libthird.so # why\n# libfourth.so\n"),
    ]
    reasons = evidence(*members, env=["LD_PRELOAD=libfast.so.2:/usr/lib/libother.so.1 nothing.so"]).reasons
    found = {path for path, reason in reasons.items() if reason.rule == "elf-preload"}
    assert found == {"usr/lib/libfast.so.2", "usr/lib/libother.so.1", "opt/libthird.so", "etc/ld.so.preload"}


def test_variants_for_processors() -> None:
    found = kept(
        elf("usr/bin/app", "liba.so.1", interpreter="/ld"),
        elf("usr/lib/liba.so.1"),
        elf("usr/lib/glibc-hwcaps/x86-64-v3/liba.so.1"),
        elf("usr/lib/glibc-hwcaps/x86-64-v3/libb.so.1"),
        rule="elf-needed",
    )
    assert found == {"usr/lib/liba.so.1", "usr/lib/glibc-hwcaps/x86-64-v3/liba.so.1"}


def test_musl() -> None:
    found = kept(
        elf("usr/bin/app", "liba.so", "libc.musl-x86_64.so.1", interpreter="/lib/ld-musl-x86_64.so.1"),
        elf("lib/ld-musl-x86_64.so.1"),
        link("lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1"),
        file("etc/ld-musl-x86_64.path", b"/srv/lib:/lib\n/usr/lib\n"),
        elf("srv/lib/liba.so"),
        elf("usr/lib/liba.so"),
    )
    assert {"srv/lib/liba.so", "lib/ld-musl-x86_64.so.1", "lib/libc.musl-x86_64.so.1"} <= found
    assert "usr/lib/liba.so" not in found


def test_configuration_that_includes_itself_ends() -> None:
    found = kept(
        elf("usr/bin/app", "liba.so", interpreter="/ld"),
        file("etc/ld.so.conf", b"include ld.so.conf\ninclude /etc/ld.so.conf\n/srv/a,/srv/b:/srv/c=libc6\n"),
        elf("srv/c/liba.so"),
        rule="elf-needed",
    )
    assert found == {"srv/c/liba.so"}
