"""ELF files: what the kernel and the dynamic linker load for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS, SYSTEM
from deadweight.evidence.linker import Linker, Loader
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.elf import Elf
from deadweight.inventory.model import Package
from deadweight.tree.node import Node

INTERPRETER = "elf-interpreter"
NEEDED = "elf-needed"
ELSEWHERE = "elf-needed-elsewhere"
PRELOADED = "elf-preload"

PRELOAD = "etc/ld.so.preload"

MAX_INHERITED = 64
"""The most folders of others' DT_RPATH in which one library is searched for what it needs."""
MAX_AGAIN = 10_000
"""How often libraries of one image are looked at again because of such a folder."""


class ElfClosure:
    """Follows ELF files."""

    name = "elf"

    def open(self, scene: Scene) -> ElfFollower:
        return ElfFollower(scene)


class ElfFollower(Quiet):
    """Follows the ELF files of one image, and decides about libraries and programs of packages of its distribution."""

    light = True

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._linker = Linker(scene)
        self._inherited: dict[str, tuple[str, ...]] = {}
        self._seen: set[str] = set()
        self._again = 0
        self._folders = frozenset(self._linker.directories)
        self._programs = frozenset(
            node.path for place in PROGRAM_FOLDERS if (node := scene.resolve(place)) is not None
        )

    def roots(self) -> Iterator[Claim]:
        """What is loaded into every program (ld.so(8), LD_PRELOAD and /etc/ld.so.preload)."""
        node = self._scene.resolve(PRELOAD)
        text = self._scene.text(node) if node is not None else None
        lines = [line.partition("#")[0] for line in (text or "").splitlines()]
        if text:
            yield Claim(PRELOAD, PRELOADED, "the dynamic linker reads there what to load into every program")
        for name in re.split(r"[\s:]+", " ".join([self._scene.environment.get("LD_PRELOAD", ""), *lines])):
            for path in self._linker.find_for_all(name):
                yield Claim(path, PRELOADED, f"the dynamic linker loads {name} into every program")

    def follow(self, node: Node) -> Iterator[Claim]:
        elf = self._scene.elf_files.get(node.path)
        if elf is None:
            return
        self._seen.add(node.path)
        if elf.interpreter:
            yield Claim(elf.interpreter, INTERPRETER, "it loads the program (PT_INTERP)")
        yield from self._load(node.path, elf)

    def _load(self, path: str, elf: Elf) -> Iterator[Claim]:
        """The libraries that `elf` needs; and where one hears late of folders of who loads it, what it needs from there."""
        left = [(path, elf)]
        while left:
            path, elf = left.pop()
            loader = Loader(path, elf, self._inherited.get(path, ()))
            rpath = self._linker.rpath(loader)
            for name in elf.needed:
                found = self._linker.find(name, loader)
                for library in found:
                    yield Claim(library, NEEDED, f"the dynamic linker loads it as {name} (DT_NEEDED)")
                for library in found or self._linker.find_elsewhere(name, loader):
                    if not found:
                        yield Claim(library, ELSEWHERE, _elsewhere(name))
                    left += self._inherit(library, rpath)

    def _inherit(self, library: str, rpath: tuple[str, ...]) -> Iterator[tuple[str, Elf]]:
        """Notes that `rpath` is searched for what `library` needs; gives it where it was followed before."""
        node = self._scene.resolve(library)
        known = self._inherited.get(node.path, ()) if node is not None else ()
        new = tuple(folder for folder in rpath if folder not in known)[: MAX_INHERITED - len(known)]
        if node is None or not new:
            return
        self._inherited[node.path] = known + new
        if node.path in self._seen and self._again < MAX_AGAIN:
            self._again += 1
            yield node.path, self._scene.elf_files[node.path]

    def decides(self, node: Node, owner: Package | None) -> bool:
        """Whether it is a library in a folder that the dynamic linker searches, or a program in one of PATH's."""
        elf = self._scene.elf_files.get(node.path)
        if elf is None or owner is None or owner.ecosystem not in SYSTEM:
            return False
        folder = node.path.rpartition("/")[0]
        return elf.debug_only or folder in (self._programs if elf.program else self._folders)


def _elsewhere(name: str) -> str:
    return f"{name} is needed (DT_NEEDED), and is in no folder that is searched, but here"
