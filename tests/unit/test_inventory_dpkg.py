from __future__ import annotations

import pytest

from deadweight.inventory.dpkg import DpkgReader
from deadweight.inventory.model import DEB, Package
from language_samples import Files, found_in, inventory_of, layer_tar, problems_in

READER = DpkgReader()
STATUS = "var/lib/dpkg/status"
INFO = "var/lib/dpkg/info"


def control(name: str, *lines: str, state: str = "install ok installed") -> str:
    return "\n".join([f"Package: {name}", f"Status: {state}", "Architecture: amd64", *lines]) + "\n\n"


def test_a_package() -> None:
    status = """Package: curl
Status: install ok installed
Priority: optional
Maintainer: Somebody <a@example.com>
Architecture: amd64
Multi-Arch: foreign
Source: curl-src (7.88.1-10)
Version: 7.88.1-10+deb12u5
Provides: http-client, fetch (= 2)
Depends: libc6 (>= 2.34), libcurl4:any (= 7.88.1) | libcurl3 [linux-any], zlib1g
Pre-Depends: dpkg(>= 1.15)
Essential: yes
Description: command line tool
 Depends: not this
 .
 Package: nor this
"""
    files: Files = {
        STATUS: status,
        f"{INFO}/curl.list": "/.\n/usr\n/usr/bin\n/usr/bin/curl\n/usr/share/man/gone.1\n",
        "usr/bin/curl": b"1",
    }
    assert found_in(READER, files) == {
        "curl": Package(
            DEB,
            "curl",
            "7.88.1-10+deb12u5",
            STATUS,
            ("usr/bin/curl",),
            "amd64",
            "curl-src",
            requires=(("dpkg",), ("libc6",), ("libcurl4", "libcurl3"), ("zlib1g",)),
            provides=("http-client", "fetch"),
            essential=True,
            wanted=True,
        )
    }


def test_paths_are_real_ones_where_folders_were_merged() -> None:
    files: Files = {
        "bin": "-> usr/bin",
        "usr/bin/ls": b"1",
        "usr/bin/dir": "-> ls",
        STATUS: control("coreutils"),
        f"{INFO}/coreutils.list": "/bin\n/bin/ls\n/usr/bin/dir\n/usr/bin/ls\n",
    }
    assert found_in(READER, files)["coreutils"].paths == ("usr/bin/dir", "usr/bin/ls")


def test_a_link_to_a_folder_belongs_to_who_ships_the_link() -> None:
    files: Files = {
        "bin": "-> usr/bin",
        "usr/bin/ls": b"1",
        STATUS: control("base-files") + control("coreutils"),
        f"{INFO}/base-files.list": "/.\n/bin\n/usr\n",
        f"{INFO}/coreutils.list": "/bin\n/bin/ls\n",
    }
    found = found_in(READER, files)
    assert found["base-files"].paths == ("bin",)
    assert found["coreutils"].paths == ("usr/bin/ls",)


def test_a_list_with_the_architecture_in_its_name() -> None:
    files: Files = {
        STATUS: control("libc6", "Multi-Arch: same"),
        f"{INFO}/libc6:amd64.list": "/lib/libc.so.6\n",
        "lib/libc.so.6": b"1",
    }
    assert found_in(READER, files)["libc6"].paths == ("lib/libc.so.6",)


def test_two_architectures_of_one_package() -> None:
    other = "Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2\n"
    files: Files = {
        STATUS: control("libc6", "Version: 1") + other,
        f"{INFO}/libc6:amd64.list": "/lib/64\n/etc/both\n",
        f"{INFO}/libc6:i386.list": "/lib/32\n/etc/both\n",
        "lib/64": b"1",
        "lib/32": b"1",
        "etc/both": b"1",
    }
    inventory = inventory_of(READER, layer_tar(files))
    assert [(package.architecture, package.paths) for package in inventory.packages] == [
        ("amd64", ("etc/both", "lib/64")),
        ("i386", ("etc/both", "lib/32")),
    ]
    assert inventory.owners["etc/both"].architecture == "amd64"


def test_checksums_stand_in_for_a_list() -> None:
    files: Files = {
        STATUS: control(
            "tool", "Conffiles:", " /etc/tool.conf 0123456789abcdef0123456789abcdef", " /etc/old 01 obsolete"
        ),
        f"{INFO}/tool.md5sums": "0123456789abcdef0123456789abcdef  usr/bin/tool\n",
        "usr/bin/tool": b"1",
        "etc/tool.conf": b"1",
        "etc/old": b"1",
    }
    assert found_in(READER, files)["tool"].paths == ("etc/old", "etc/tool.conf", "usr/bin/tool")


@pytest.mark.parametrize(
    "state",
    ["install ok unpacked", "install ok half-configured", "deinstall ok half-installed", "hold ok installed"],
)
def test_states_in_which_files_are_there(state: str) -> None:
    files: Files = {STATUS: control("tool", state=state), f"{INFO}/tool.list": "/tool\n", "tool": b"1"}
    assert found_in(READER, files)["tool"].paths == ("tool",)


def test_a_package_that_is_not_installed() -> None:
    status = control("tool", state="purge ok not-installed") + "Package: selected\n\n"
    assert found_in(READER, {STATUS: status, f"{INFO}/tool.list": "/tool\n", "tool": b"1"}) == {}


def test_a_removed_package_owns_its_configuration_and_is_not_installed() -> None:
    fields = (
        "Depends: libc6",
        "Provides: x",
        "Conffiles:",
        " /etc/tool.conf 0123456789abcdef0123456789abcdef",
    )
    files: Files = {
        STATUS: control("tool", *fields, state="deinstall ok config-files"),
        f"{INFO}/tool.list": "/etc\n/etc/tool.conf\n/usr/bin/tool\n",
        "etc/tool.conf": b"1",
        "usr/bin/tool": b"1",
    }
    inventory = inventory_of(READER, layer_tar(files))
    assert inventory.packages == ()
    assert inventory.owners.keys() == {"etc/tool.conf"}
    owner = inventory.owners["etc/tool.conf"]
    assert (owner.name, owner.removed, owner.requires, owner.provides) == ("tool", True, (), ())


def test_diversions_move_the_files_of_all_others() -> None:
    diversions = "/bin/sh\n/bin/sh.distrib\ndash\n/etc/conf\n/etc/conf.orig\n:\n"
    files: Files = {
        "var/lib/dpkg/diversions": diversions,
        STATUS: control("bash") + control("dash"),
        f"{INFO}/bash.list": "/bin/sh\n/etc/conf\n",
        f"{INFO}/dash.list": "/bin/sh\n",
        "bin/sh": b"1",
        "bin/sh.distrib": b"2",
        "etc/conf": b"3",
        "etc/conf.orig": b"4",
    }
    found = found_in(READER, files)
    assert found["bash"].paths == ("bin/sh.distrib", "etc/conf.orig")
    assert found["dash"].paths == ("bin/sh",)


def test_what_apt_marked_as_automatic_was_not_asked_for() -> None:
    marks = (
        "Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\n"
        "Package: data\nArchitecture: amd64\nAuto-Installed: 1\n\n"
        "Package: tool\nArchitecture: amd64\nAuto-Installed: 0\n\n"
        "Package: foreign\nArchitecture: i386\nAuto-Installed: 1\n"
    )
    data = "Package: data\nStatus: install ok installed\nArchitecture: all\n\n"
    status = control("libc6") + control("tool") + control("foreign") + control("bare") + data
    found = found_in(READER, {STATUS: status, "var/lib/apt/extended_states": marks})
    assert {name: package.wanted for name, package in found.items()} == {
        "libc6": False,
        "tool": True,
        "foreign": True,
        "bare": True,
        "data": False,
    }


def test_distroless_images_have_one_file_for_each_package() -> None:
    folder = "var/lib/dpkg/status.d"
    files: Files = {
        f"{folder}/base": "Package: base-files\nVersion: 12.4\nArchitecture: amd64\nDepends: libc6\n",
        f"{folder}/base.md5sums": "0123456789abcdef0123456789abcdef  ./etc/issue\n0123456789abcdef0123456789abcdef  usr/x\n",
        f"{folder}/tzdata": "Package: tzdata\nVersion: 2024a\nArchitecture: all\n",
        "etc/issue": b"1",
        "usr/x": b"1",
    }
    found = found_in(READER, files)
    assert {name: (package.source, package.paths) for name, package in found.items()} == {
        "base-files": (f"{folder}/base", ("etc/issue", "usr/x")),
        "tzdata": (f"{folder}/tzdata", ()),
    }


def test_names_that_are_no_lines_of_text_are_left_out() -> None:
    files: Files = {
        STATUS: b"Package: \x1b[31mred\nStatus: install ok installed\n\n" + control("fine").encode(),
        "var/lib/dpkg/status.d/x": b"Package: \xff\n",
    }
    assert found_in(READER, files).keys() == {"fine"}


def test_a_status_file_that_is_too_large_is_a_problem() -> None:
    (problem,) = problems_in(READER, {STATUS: b"Package: tool\n" + bytes(READER.collector.limit)})
    assert problem == "var/lib/dpkg/status: is larger than the 33554432 bytes that are read"


def test_a_list_that_is_too_large_is_a_problem() -> None:
    files: Files = {STATUS: control("tool"), f"{INFO}/tool.list": bytes(READER.collector.limit + 1)}
    inventory = inventory_of(READER, layer_tar(files))
    assert [package.paths for package in inventory.packages] == [()]
    assert inventory.problems == (f"{INFO}/tool.list: is larger than the 33554432 bytes that are read",)


def test_a_circle_of_links_holds_no_database() -> None:
    files: Files = {
        "var/lib/dpkg/info": "-> info",
        STATUS: control("tool"),
        "var/lib/dpkg/status.d": "-> status.d",
    }
    assert found_in(READER, files)["tool"].paths == ()
