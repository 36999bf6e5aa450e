"""Who may log in: the modules that PAM loads, as pam.d(5) names them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import SYSTEM
from deadweight.evidence.globs import matching
from deadweight.evidence.linker import Linker
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.tree.node import Node

CONFIGURATION = "pam-configuration"
MODULE = "pam-module"

SERVICES = ("etc/pam.d/*", "usr/lib/pam.d/*", "usr/share/pam.d/*", "etc/pam.conf")
SETTINGS = "etc/security/**"
HELPERS = ("usr/sbin/unix_chkpwd", "sbin/unix_chkpwd", "usr/bin/unix_chkpwd")
"""What pam_unix starts to read the shadow file."""

_LINE = re.compile(r"\s*-?[a-z]+\s+(?:\[[^\]]*\]|[a-z]+)\s+(\S+)")
_LINE_WITH_SERVICE = re.compile(r"\s*\S+" + _LINE.pattern)


class PamClosure:
    """Follows libpam to its configuration, and that to modules."""

    name = "pam"

    def open(self, scene: Scene) -> PamFollower:
        return PamFollower(scene)


class PamFollower(Quiet):
    """Decides about the modules of one image. All services count: a program chooses the name of its service at run time."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._folders = tuple(f"{folder}/security" for folder in Linker(scene).directories)

    def follow(self, node: Node) -> Iterator[Claim]:
        elf = self._scene.elf_files.get(node.path)
        if elf is None or elf.soname != "libpam.so.0":
            return
        for pattern in (*SERVICES, SETTINGS):
            for path in matching(self._scene, pattern):
                yield Claim(path, CONFIGURATION, "PAM reads it for the service that a program names")
        for pattern in SERVICES:
            for path in matching(self._scene, pattern):
                service = self._scene.resolve(path)
                if service is not None:
                    yield from self._modules(service)

    def _modules(self, node: Node) -> Iterator[Claim]:
        line = _LINE_WITH_SERVICE if node.name == "pam.conf" else _LINE
        for text in (self._scene.text(node) or "").splitlines():
            match = line.match(text)
            if match is None or text.lstrip().startswith(("#", "@")):
                continue
            name = match[1]
            for path in [name] if name.startswith("/") else [f"{folder}/{name}" for folder in self._folders]:
                yield Claim(path, MODULE, f"{node.path} names it")
            if name.endswith("pam_unix.so"):
                yield from (
                    Claim(path, MODULE, "pam_unix.so starts it to check passwords") for path in HELPERS
                )

    def decides(self, node: Node, owner: Package | None) -> bool:
        folder, _, name = node.path.rpartition("/")
        decided = owner is not None and owner.ecosystem in SYSTEM
        return decided and folder in self._folders and name.endswith(".so")
