"""Names of accounts, hosts and services: the modules that glibc's Name Service Switch loads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.evidence.closures import Quiet
from deadweight.evidence.linker import Linker, Loader
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

MODULE = "nss-module"

CONFIGURATION = "etc/nsswitch.conf"
BUILT_IN = ("files", "dns", "compat")
"""The services that glibc comes with, and uses where the file names none (nsswitch.conf(5))."""

_ACTION = re.compile(r"\[[^\]]*\]")


class NssClosure:
    """Follows the C library to its modules for names."""

    name = "nss"

    def open(self, scene: Scene) -> NssFollower:
        return NssFollower(scene)


class NssFollower(Quiet):
    """Follows the C library of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def follow(self, node: Node) -> Iterator[Claim]:
        elf = self._scene.elf_files.get(node.path)
        if elf is None or elf.soname != "libc.so.6":
            return
        linker, loader = Linker(self._scene), Loader(node.path, elf)
        yield Claim(CONFIGURATION, MODULE, "the C library finds out there who knows names")
        for path in linker.find("libresolv.so.2", loader):
            yield Claim(path, MODULE, "it asks name servers")
        for service in sorted({*BUILT_IN, *self._services()}):
            for path in linker.find(f"libnss_{service}.so.2", loader):
                yield Claim(
                    path, MODULE, f"the C library loads it for the service {service} of nsswitch.conf(5)"
                )

    def _services(self) -> Iterator[str]:
        node = self._scene.resolve(CONFIGURATION)
        text = self._scene.text(node) if node is not None else None
        for line in (text or "").splitlines():
            database, _, services = line.partition("#")[0].partition(":")
            if database.strip():
                yield from _ACTION.sub(" ", services).split()
