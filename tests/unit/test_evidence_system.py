"""What every container is expected to have: accounts, places, time zones, languages, names, character sets, a shell."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from deadweight.evidence.closure.elf import ElfClosure
from deadweight.evidence.closure.gconv import GconvClosure
from deadweight.evidence.closure.locale import LocaleClosure
from deadweight.evidence.closure.nss import NssClosure
from deadweight.evidence.closure.pam import PamClosure
from deadweight.evidence.closure.shell import ShellClosure
from deadweight.evidence.closure.system import SystemClosure
from deadweight.evidence.closures import Closure
from deadweight.evidence.locales import is_utf8, languages, locales
from debian_by_hand import Debian
from elf_samples import DT_NEEDED, DT_SONAME, ElfSample
from layers_by_hand import Member, directory, file, link
from scenes import needed, scene_of


def program(path: str, *needs: str, imports: Sequence[str] = ()) -> Member:
    return file(
        path, ElfSample(interpreter="/ld", names={DT_NEEDED: needs}, imports=imports).content(), 0o755
    )


def library(path: str, *, imports: Sequence[str] = ()) -> Member:
    return file(path, ElfSample(names={DT_SONAME: [path.rpartition("/")[2]]}, imports=imports).content())


def kept(*members: Member, closure: Closure, start: Sequence[str] = (), env: Sequence[str] = ()) -> set[str]:
    """What is needed for `start` in an image where each of `members` is in a package of its own."""
    debian = Debian()
    for number, member in enumerate(members):
        debian.add(f"package{number}", member)
    evidence = needed(scene_of(*debian.layer, Env=list(env)), start, ElfClosure(), closure)
    return {path for path in evidence.reasons if not path.startswith("var/lib/dpkg")}


def test_accounts_their_homes_and_places_to_write() -> None:
    found = kept(
        file("etc/passwd", b"root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv/www/home:/bin/false\nbroken\n"),
        file("etc/os-release"),
        file("etc/other.conf"),
        directory("root"),
        directory("tmp"),
        directory("srv/www/home"),
        directory("var/lib/app/state"),
        directory("usr/share/app/empty"),
        file("usr/share/full/file"),
        closure=SystemClosure(),
    )
    assert {"etc/passwd", "etc/os-release", "root", "tmp", "srv/www/home", "var/lib/app/state"} <= found
    assert "usr/share/app/empty" in found
    assert not found & {"etc/other.conf", "usr/share/full", "usr/share/full/file"}


def test_time_zones_once() -> None:
    debian = Debian().add(
        "tzdata",
        file("usr/share/zoneinfo/Europe/Berlin"),
        file("usr/share/zoneinfo/right/Europe/Berlin"),
        file("usr/share/zoneinfo/posix/Europe/Berlin"),
        file("usr/share/zoneinfo/zone.tab"),
    )
    scene = scene_of(*debian.layer, file("srv/app", b"x"))
    zones = {path for path in needed(scene, [], SystemClosure()).reasons if "zoneinfo" in path}
    assert zones == {"usr/share/zoneinfo/Europe/Berlin", "usr/share/zoneinfo/zone.tab"}
    posix = needed(scene, ["usr/share/zoneinfo/posix/Europe/Berlin"], SystemClosure()).reasons
    assert "usr/share/zoneinfo/posix/Europe/Berlin" in posix


def archive(*names: str) -> bytes:
    """The beginning of a locale archive."""
    text = b"".join(name.encode() + b"\0" for name in names)
    return struct.pack("<8I", 0xDE020109, 1, 56, 1, 1, 64, len(text), len(text)).ljust(64, b"\0") + text


def test_the_locales_of_an_image() -> None:
    scene = scene_of(
        file("usr/lib/locale/locale-archive", archive("de_DE.utf8", "C.utf8", "fr_FR")),
        file("usr/lib/locale/C.utf8/LC_CTYPE"),
        file("usr/lib/locale/nl_NL.utf8/LC_CTYPE"),
        Env=["LANG=en_GB.UTF-8", "LANGUAGE=sv:da", "LC_ALL=C"],
    )
    assert locales(scene) == {"de_DE.utf8", "fr_FR", "nl_NL.utf8", "en_GB.UTF-8", "sv", "da"}
    assert not is_utf8("fr_FR")
    assert is_utf8("sr_RS.UTF-8@latin")
    assert languages("sr_RS.UTF-8@latin")[-2:] == ("sr@latin", "sr")
    for broken in (b"", b"\x09\x01\x02\xde", archive("x")[:60], b"x" * 100):
        assert locales(scene_of(file("usr/lib/locale/locale-archive", broken))) == frozenset()


def test_messages_only_in_languages_that_the_image_has() -> None:
    tool = [
        program("usr/bin/tool", "libc.so.6"),
        *(file(f"usr/share/locale/{name}/LC_MESSAGES/tool.mo") for name in ("de", "fr", "pt_BR")),
        file("usr/share/locale/locale.alias"),
    ]
    debian = Debian().add("tool", *tool).add("libc6", library("usr/lib/libc.so.6"))
    debian.add("locales", file("usr/lib/locale/locale-archive", archive("de_DE.utf8")))
    debian.add("other", file("usr/share/locale/de/LC_MESSAGES/other.mo"))
    found = set(needed(scene_of(*debian.layer), ["usr/bin/tool"], ElfClosure(), LocaleClosure()).reasons)
    assert {path for path in found if "locale" in path} == {
        "usr/lib/locale/locale-archive",
        "usr/share/locale/locale.alias",
        "usr/share/locale/de/LC_MESSAGES/tool.mo",
    }


GCONV = (
    file("usr/lib/gconv/gconv-modules"),
    file("usr/lib/gconv/EUC-JP.so"),
    library("usr/lib/gconv/libJIS.so"),
)


@pytest.mark.parametrize(
    ("app", "locale", "converts"),
    [
        (program("usr/bin/app", imports=["iconv_open"]), "de_DE.utf8", True),
        (program("usr/bin/app", imports=["dlopen"]), "de_DE.utf8", False),
        (program("usr/bin/app", "libc.so.6"), "de_DE.utf8", False),
        (program("usr/bin/app", "libc.so.6"), "de_DE.iso88591", True),
        (program("usr/bin/bash", imports=["iconv_open"]), "de_DE.utf8", False),
        (program("opt/bash", imports=["iconv_open"]), "de_DE.utf8", True),
        (program("usr/bin/app", "libstdc++.so.6"), "de_DE.utf8", False),
        (program("usr/bin/app", "libxml2.so.2"), "de_DE.utf8", True),
    ],
)
def test_character_sets_where_something_converts(app: Member, locale: str, converts: bool) -> None:
    members = (
        app,
        library("usr/lib/libc.so.6"),
        library("usr/lib/libstdc++.so.6", imports=["iconv_open"]),
        library("usr/lib/libxml2.so.2", imports=["iconv_open"]),
        file(f"usr/lib/locale/{locale}/LC_CTYPE"),
        *GCONV,
    )
    found = kept(*members, closure=GconvClosure(), start=[app.path])
    assert {path for path in found if "gconv" in path} == ({one.path for one in GCONV} if converts else set())


def test_modules_for_names() -> None:
    services = ("files", "dns", "myhostname", "winbind", "systemd")
    found = kept(
        program("usr/bin/app", "libc.so.6"),
        library("usr/lib/libc.so.6"),
        library("usr/lib/libresolv.so.2"),
        *(library(f"usr/lib/libnss_{name}.so.2") for name in services),
        file(
            "etc/nsswitch.conf",
            b"# hosts: winbind\nhosts: files [!UNAVAIL=return] myhostname dns\npasswd:systemd\n",
        ),
        closure=NssClosure(),
        start=["usr/bin/app"],
    )
    names = {path for path in found if "nss" in path or "resolv" in path}
    expected = {f"usr/lib/libnss_{name}.so.2" for name in services if name != "winbind"}
    assert names == {"etc/nsswitch.conf", "usr/lib/libresolv.so.2", *expected}
    static = kept(*(library(f"usr/lib/libnss_{name}.so.2") for name in services), closure=NssClosure())
    assert static == set()


def test_modules_of_pam() -> None:
    members = (
        program("usr/bin/app", "libpam.so.0"),
        library("usr/lib/libpam.so.0"),
        file(
            "etc/pam.d/login",
            b"#auth required pam_comment.so\nauth [success=1 default=ignore] pam_unix.so nullok\n"
            b"-session optional pam_systemd.so\n@include common\naccount required /opt/pam_own.so\n",
        ),
        file("etc/pam.conf", b"su auth required pam_rootok.so\n"),
        *(
            library(f"usr/lib/security/pam_{name}.so")
            for name in ("unix", "systemd", "comment", "rootok", "unused")
        ),
        library("opt/pam_own.so"),
        program("usr/sbin/unix_chkpwd"),
        file("etc/security/limits.conf"),
    )
    found = kept(*members, closure=PamClosure(), start=["usr/bin/app"])
    assert found == {member.path for member in members} - {
        "usr/lib/security/pam_comment.so",
        "usr/lib/security/pam_unused.so",
    }
    assert kept(*members, closure=PamClosure()) == set()


def test_the_shell_and_everyday_commands() -> None:
    members = (
        program("usr/bin/dash"),
        program("usr/bin/ls", "libselinux.so.1"),
        library("usr/lib/libselinux.so.1"),
        program("usr/bin/gpg"),
        program("srv/bin/cat"),
        program("usr/bin/cat"),
    )
    debian = Debian()
    for number, member in enumerate(members):
        debian.add(f"package{number}", member)
    layer = (*debian.layer, link("bin", "usr/bin"), link("usr/bin/sh", "dash"))
    scene = scene_of(*layer, Env=["PATH=/srv/bin:/usr/bin"])
    found = set(needed(scene, [], ElfClosure(), ShellClosure()).reasons)
    expected = {"bin", "usr/bin/sh", "usr/bin/dash", "usr/bin/ls", "usr/lib/libselinux.so.1", "srv/bin/cat"}
    assert {path for path in found if not path.startswith("var/")} == expected
    assert not set(needed(scene, [], ElfClosure()).reasons) & expected


def test_a_program_of_many_names_keeps_them() -> None:
    debian = Debian().add("busybox", program("usr/bin/busybox"))
    names = ("sh", "cat", "wget", "vi")
    layer = (
        *debian.layer,
        link("bin", "usr/bin"),
        *(link(f"usr/bin/{name}", "/bin/busybox") for name in names),
    )
    found = set(needed(scene_of(*layer), [], ElfClosure(), ShellClosure()).reasons)
    assert {f"usr/bin/{name}" for name in names} <= found
