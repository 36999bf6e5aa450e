"""What ELF files name in their data: libraries that they load at run time, files that they open, programs that they start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import SYSTEM
from deadweight.evidence.linker import Linker, Loader
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.evidence.strings import Strings, strings
from deadweight.inventory.elf import Elf
from deadweight.inventory.elf_imports import STARTING
from deadweight.inventory.model import Package
from deadweight.layer.entry import FILE
from deadweight.tree.node import Node

NOTE = "elf-dlopen-note"
LIBRARY = "elf-names-library"
PATH = "elf-names-path"
PROGRAM = "elf-names-program"

SHELL = ("/bin/sh", "/usr/bin/sh")
"""Every C library names it, for system(3): it says nothing of what a program does."""
SKIPPED: Mapping[str, frozenset[str]] = {
    # Only to load a policy, which the first process of a host does (libselinux, src/load_policy.c).
    "libselinux.so.1": frozenset({"libsepol.so.1", "libsepol.so.2"}),
    # Only for host names beyond ASCII, where a program asks getaddrinfo(3) for that (AI_IDN), as getent does. Debian's libc6
    # only recommends it: no program may count on it unless its own package asks for it, and then that needs it.
    "libc.so.6": frozenset({"libidn2.so.0"}),
}
"""Soname -> libraries that it names, but that are not kept for that."""


class DlopenClosure:
    """Follows the names in ELF files."""

    name = "dlopen"

    def open(self, scene: Scene) -> DlopenFollower:
        return DlopenFollower(scene)


class DlopenFollower(Quiet):
    """Follows the names in the ELF files of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._linker = Linker(scene)
        self._programs: dict[int, Mapping[bytes, str]] = {}

    def follow(self, node: Node) -> Iterator[Claim]:
        elf = self._scene.elf_files.get(node.path)
        if elf is None or elf.debug_only:
            return
        for name in elf.dlopen:
            for path in self._linker.find(name, Loader(node.path, elf)):
                yield Claim(path, NOTE, f"it says that it may load {name} (ELF dlopen metadata)")
        found = strings(self._scene, node)
        yield from self._libraries(node, elf, found)
        yield from self._paths(found)
        yield from self._started(node, elf, found)

    def _libraries(self, node: Node, elf: Elf, found: Strings) -> Iterator[Claim]:
        for name in found.libraries():
            if name in elf.needed or name == elf.soname or name in SKIPPED.get(elf.soname, ()):
                continue
            for path in self._linker.find(name, Loader(node.path, elf)):
                yield Claim(path, LIBRARY, f"{name} is a string in it, which it may load (dlopen)")

    def _paths(self, found: Strings) -> Iterator[Claim]:
        for path in found.paths():
            if path in SHELL:
                continue
            node = self._scene.resolve(path)
            if node is not None and node.entry.kind == FILE:
                yield Claim(path, PATH, "its path is a string in it")

    def _started(self, node: Node, elf: Elf, found: Strings) -> Iterator[Claim]:
        package = self._scene.owner(node.path)
        if not STARTING.isdisjoint(elf.imports) and package is not None and package.ecosystem in SYSTEM:
            programs = self._programs_of(package)
            for name in found.words(programs):
                yield Claim(
                    programs[name.encode()], PROGRAM, "its name is a string in a program of the same package"
                )

    def _programs_of(self, package: Package) -> Mapping[bytes, str]:
        """Name -> path of what `package` has in folders of programs, its own such as usr/lib/git-core included."""
        known = self._programs.get(id(package))
        if known is None:
            known = self._programs[id(package)] = {
                path.rpartition("/")[2].encode("utf-8", "surrogateescape"): path
                for path in package.paths
                if self._is_program(path)
            }
        return known

    def _is_program(self, path: str) -> bool:
        node = self._scene.resolve(path)
        if node is None or not node.is_file or not node.entry.mode & 0o111:
            return False
        elf = self._scene.elf_files.get(node.path)
        return elf.program if elf is not None else node.path in self._scene.scripts
