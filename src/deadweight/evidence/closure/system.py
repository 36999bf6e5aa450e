"""What every container is expected to have, whatever it runs: accounts, names, times, and places to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import SYSTEM
from deadweight.evidence.globs import matching
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.tree.node import Node

FILE = "system-file"
PLACE = "system-directory"
HOME = "home"
ZONE = "time-zone"

FILES: Mapping[str, str] = {
    "etc/passwd": "accounts are looked up there (passwd(5))",
    "etc/group": "groups are looked up there (group(5))",
    "etc/shadow": "passwords are looked up there (shadow(5))",
    "etc/gshadow": "passwords of groups are looked up there (gshadow(5))",
    "etc/subuid": "ranges of user ids are looked up there (subuid(5))",
    "etc/subgid": "ranges of group ids are looked up there (subgid(5))",
    "etc/hosts": "engines put the names of the container there (hosts(5))",
    "etc/hostname": "engines put the name of the container there (hostname(5))",
    "etc/resolv.conf": "engines put the name servers there (resolv.conf(5))",
    "etc/host.conf": "the C library reads it to find hosts (host.conf(5))",
    "etc/gai.conf": "the C library orders addresses by it (gai.conf(5))",
    "etc/nsswitch.conf": "it says who knows names (nsswitch.conf(5))",
    "etc/services": "names of ports are looked up there (services(5))",
    "etc/protocols": "names of protocols are looked up there (protocols(5))",
    "etc/networks": "names of networks are looked up there (networks(5))",
    "etc/localtime": "it is the time zone of the system (localtime(5))",
    "etc/timezone": "it is the name of the system's time zone, which language runtimes read",
    "etc/os-release": "it says what system this is (os-release(5))",
    "usr/lib/os-release": "it says what system this is (os-release(5))",
    "etc/debian_version": "tools and scanners learn from it what system this is",
    "etc/alpine-release": "tools and scanners learn from it what system this is",
    "etc/redhat-release": "tools and scanners learn from it what system this is",
    "etc/lsb-release": "tools and scanners learn from it what system this is",
    "etc/machine-id": "it is the id of the machine (machine-id(5))",
    "etc/mtab": "it leads to what is mounted (mount(8))",
    "etc/ld.so.conf": "the dynamic linker is configured there (ldconfig(8))",
    "etc/ld.so.conf.d/*": "the dynamic linker is configured there (ldconfig(8))",
    "etc/ld.so.cache": "the dynamic linker finds libraries by it (ld.so(8))",
    "etc/ld-musl-*.path": "the dynamic linker of musl is configured there (musl manual, \"ldso\")",
    "etc/environment": "sessions begin with the variables in it (pam_env(8))",
    "etc/shells": "the shells that may be logged in with (shells(5))",
    "etc/login.defs": "defaults of accounts are there (login.defs(5))",
}  # fmt: skip
PLACES = (
    *("dev", "proc", "sys", "tmp", "var/tmp", "run", "run/lock", "var/run", "var/lock", "var/log", "var/lib", "var/cache"),
    *("var/spool", "var/mail", "home", "root", "mnt", "media", "opt", "srv", "usr/local", "usr/local/bin", "usr/local/lib"),
    *("usr/local/sbin", "usr/local/share", "usr/local/etc", "bin", "sbin", "lib", "lib64", "usr/bin", "usr/sbin", "etc"),
)  # fmt: skip
"""The folders of the Filesystem Hierarchy Standard 3.0 that programs expect, and with their modes write to."""
WRITABLE = ("var", "run", "tmp", "home", "root", "srv", "opt", "mnt", "media")
"""Below these all folders stay: programs write there, with the owners and modes that somebody gave them."""
ZONES = "usr/share/zoneinfo"
DUPLICATES = ("usr/share/zoneinfo/right/", "usr/share/zoneinfo/posix/")
"""The same zones once more: with leap seconds, which no system clock counts, and without (tzdata's Makefile)."""


class SystemClosure:
    """What is needed whatever else is."""

    name = "system"

    def open(self, scene: Scene) -> SystemFollower:
        return SystemFollower(scene)


class SystemFollower(Quiet):
    """Knows the roots of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def roots(self) -> Iterator[Claim]:
        for pattern, because in FILES.items():
            yield from (Claim(path, FILE, because) for path in matching(self._scene, pattern))
        yield from self._places()
        yield from self._homes()
        for node in self._scene.below(ZONES):
            if not node.path.startswith(DUPLICATES):
                yield Claim(
                    node.path, ZONE, "any program may ask for a time zone by name at any time (tzset(3))"
                )

    def _places(self) -> Iterator[Claim]:
        execution = self._scene.execution
        for place in PLACES:
            yield Claim(place, PLACE, "programs expect it, with its owner and mode")
        for place in (execution.working_dir, *execution.volumes):
            yield Claim(place, PLACE, "the config of the image names it")
        for path, node in self._scene.tree.walk():
            if node.children is None:
                continue
            if path.startswith(tuple(f"{top}/" for top in WRITABLE)):
                yield Claim(path, PLACE, "programs write there, with its owner and mode")
            elif not node.children:
                yield Claim(path, PLACE, "it is there to be empty, or to be mounted or written in")

    def _homes(self) -> Iterator[Claim]:
        node = self._scene.resolve("etc/passwd")
        for line in (self._scene.text(node) or "" if node is not None else "").splitlines():
            fields = line.split(":")
            if len(fields) == 7 and fields[5].strip("/"):
                yield Claim(fields[5], HOME, f"it is the home of the account {fields[0]}")

    def decides(self, node: Node, owner: Package | None) -> bool:
        return owner is not None and owner.ecosystem in SYSTEM and node.path.startswith(DUPLICATES)
