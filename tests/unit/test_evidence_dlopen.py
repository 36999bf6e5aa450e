"""What ELF files name in their data."""

from __future__ import annotations

import json

import pytest

from deadweight.evidence.closure.dlopen import DlopenClosure
from deadweight.evidence.closure.elf import ElfClosure
from debian_by_hand import Debian
from elf_samples import ALLOC, DT_NEEDED, DT_SONAME, ElfSample, Section, dlopen_note
from layers_by_hand import Member, file, link
from scenes import needed, scene_of


def elf(
    path: str,
    *strings: str,
    needs: tuple[str, ...] = (),
    imports: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    soname: str = "",
) -> Member:
    """An ELF file with `strings` among its data; a program where it has no soname."""
    data = b"".join(b"\0" + text.encode() + b"\0" for text in strings)
    sample = ElfSample(
        interpreter="" if soname else "/ld",
        names={DT_NEEDED: needs, DT_SONAME: [soname] if soname else []},
        sections=[Section(".rodata", data, flags=ALLOC)],
        imports=imports,
        notes=dlopen_note(*notes) if notes else b"",
    )
    return file(path, sample.content(), 0o755)


def library(path: str) -> Member:
    return elf(path, soname=path.rpartition("/")[2])


def found(rule: str, *members: Member, package: tuple[Member, ...] = ()) -> set[str]:
    """What is needed by `rule` for usr/bin/app, which is in a package with `package`; other members have their own."""
    debian = Debian().add("app", members[0], *package)
    for number, member in enumerate(members[1:]):
        debian.add(f"package{number}", member)
    reasons = needed(scene_of(*debian.layer), ["usr/bin/app"], ElfClosure(), DlopenClosure()).reasons
    return {path for path, reason in reasons.items() if reason.rule == rule}


def test_libraries_that_are_strings() -> None:
    members = [
        elf(
            "usr/bin/app",
            "libplug.so.1",
            "libnone.so",
            "see libwords.so.2 there",
            "libneeded.so",
            needs=("libneeded.so",),
        ),
        link("usr/lib/libplug.so.1", "libplug.so.1.5"),
        library("usr/lib/libplug.so.1.5"),
        library("usr/lib/libwords.so.2"),
        library("usr/lib/libneeded.so"),
        library("usr/lib/elsewhere/libnone.so"),
    ]
    assert found("elf-names-library", *members) == {"usr/lib/libplug.so.1", "usr/lib/libplug.so.1.5"}


def test_libraries_in_dlopen_notes() -> None:
    members = [elf("usr/bin/app", notes=("libz.so.1", "libnone.so")), library("usr/lib/libz.so.1")]
    assert found("elf-dlopen-note", *members) == {"usr/lib/libz.so.1"}


def test_paths_that_are_strings() -> None:
    members = [
        elf(
            "usr/bin/app",
            "/usr/share/app/table",
            "/usr/share/folder",
            "/usr/share/none",
            "text /usr/share/inner",
            "/bin/sh",
        ),
        file("usr/share/app/table"),
        file("usr/share/folder/inside"),
        file("usr/share/inner"),
        file("bin/sh"),
    ]
    assert found("elf-names-path", *members) == {"usr/share/app/table"}


@pytest.mark.parametrize(("imports", "started"), [(("execvp",), {"usr/bin/daemon"}), ((), set())])
def test_programs_of_the_same_package_that_are_strings(imports: tuple[str, ...], started: set[str]) -> None:
    app = elf("usr/bin/app", "daemon", "stranger", "data", imports=imports)
    package = (elf("usr/bin/daemon"), elf("usr/bin/unnamed"), file("usr/share/data"))
    assert found("elf-names-program", app, elf("usr/bin/stranger"), package=package) == started


def test_a_policy_of_the_host_is_not_loaded_in_a_container() -> None:
    app = elf("usr/bin/app", needs=("libselinux.so.1",))
    selinux = elf("usr/lib/libselinux.so.1", "libsepol.so.2", soname="libselinux.so.1")
    assert found("elf-names-library", app, selinux, library("usr/lib/libsepol.so.2")) == set()


def test_notes_that_lie_say_nothing() -> None:
    deep = "[" * 100_000
    for text in (deep, "[1, null, {}]", json.dumps([{"soname": "libz.so.1"}]), '[{"soname": [3]}]'):
        sample = ElfSample(interpreter="/ld", names={DT_NEEDED: []}, notes=dlopen_note(text=text))
        app = file("usr/bin/app", sample.content(), 0o755)
        assert found("elf-dlopen-note", app, library("usr/lib/libz.so.1")) == set()
