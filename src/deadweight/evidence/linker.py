"""Where the dynamic linker finds libraries: glibc's (ld.so(8), ldconfig(8)) and musl's (ldso/dynlink.c)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from deadweight.evidence.scene import Scene
from deadweight.inventory.elf import SHARED, Elf
from deadweight.layer.entry import SYMLINK
from deadweight.tree.node import Node

MULTIARCH = {
    (62, 64): "x86_64-linux-gnu",
    (62, 32): "x86_64-linux-gnux32",
    (3, 32): "i386-linux-gnu",
    (183, 64): "aarch64-linux-gnu",
    (40, 32): "arm-linux-gnueabihf",
    (243, 64): "riscv64-linux-gnu",
    (21, 64): "powerpc64le-linux-gnu",
    (22, 64): "s390x-linux-gnu",
    (258, 64): "loongarch64-linux-gnu",
}
"""Debian's names of the folders of libraries, by e_machine and bits."""
PLATFORMS = {62: "x86_64", 3: "i686", 183: "aarch64", 40: "v7l", 243: "riscv64", 21: "power9", 22: "z15"}
"""What ``$PLATFORM`` may stand for (AT_PLATFORM), by e_machine."""
DEFAULTS = (
    "lib64",
    "usr/lib64",
    "lib",
    "usr/lib",
    "usr/local/lib",
    "lib32",
    "usr/lib32",
    "libx32",
    "usr/libx32",
)
"""Searched without being configured, by one linker or another; those of `MULTIARCH` come before."""
HWCAPS = ("tls", "haswell", "x86_64", "sse2", "i686")
"""Folders of variants for some processors that linkers before glibc 2.37 looked into, beside ``glibc-hwcaps/*``."""

MAX_CONFIGURATION = 1 << 20
MAX_FOLDERS = 256
"""The most folders of one DT_RPATH, DT_RUNPATH or LD_LIBRARY_PATH that are searched."""
MAX_CONFIGURED = 1024
"""The most folders that ld.so.conf and its like may name."""
MAX_INCLUDED = 256
"""The most files that one ld.so.conf may include."""

_SEPARATORS = re.compile(r"[\s:,]+")
_TOKEN = re.compile(r"\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_]))")


class Loader(NamedTuple):
    """Who asks for a library."""

    path: str
    """The real path of the file."""
    elf: Elf
    inherited: tuple[str, ...] = ()
    """The folders in DT_RPATH of those that load it."""


class Linker:
    """Looks libraries up in one image. All paths are real, without a leading slash."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._opened: dict[str, Container[str]] = {}

    @cached_property
    def directories(self) -> Sequence[str]:
        """The real paths of the folders that are searched for every program, in the order of the search."""
        multiarch = [f"{top}/{name}" for name in MULTIARCH.values() for top in ("lib", "usr/lib")]
        places = [*islice(self._configured(), MAX_CONFIGURED), *multiarch, *DEFAULTS]
        return tuple(dict.fromkeys(self._folders(places)))

    @cached_property
    def _library_path(self) -> Sequence[str]:
        value = self._scene.environment.get("LD_LIBRARY_PATH", "")
        return tuple(part for part in re.split("[:;]", value)[:MAX_FOLDERS] if part.startswith("/"))

    def _configured(self) -> Iterator[str]:
        """The folders that configuration files name."""
        yield from self._read_configuration("etc/ld.so.conf", [])
        for node in self._matching("etc", "ld-musl-*.path"):
            yield from re.split(r"[\n:]", self._scene.text(node, MAX_CONFIGURATION) or "")

    def _read_configuration(self, path: str, seen: list[str]) -> Iterator[str]:
        node = self._scene.resolve(path)
        if node is None or node.path in seen or len(seen) > MAX_INCLUDED:
            return
        seen.append(node.path)
        for line in (self._scene.text(node, MAX_CONFIGURATION) or "").splitlines():
            words = line.partition("#")[0].split()
            if words[:1] == ["include"]:
                for pattern in words[1:]:
                    yield from self._include(pattern, path, seen)
            elif words[:1] != ["hwcap"]:
                yield from (word.partition("=")[0] for word in _SEPARATORS.split(" ".join(words)) if word)

    def _include(self, pattern: str, source: str, seen: list[str]) -> Iterator[str]:
        folder, _, name = pattern.rpartition("/")
        if not pattern.startswith("/"):
            folder = f"{source.rpartition('/')[0]}/{folder}"
        for found in self._matching(folder, name):
            yield from self._read_configuration(found.path, seen)

    def _matching(self, folder: str, pattern: str) -> list[Node]:
        """What lies in `folder` and has a name that matches, sorted by name."""
        node = self._scene.resolve(folder)
        children = node.children or {} if node is not None else {}
        return [children[name] for name in sorted(fnmatch.filter(children, pattern))]

    def _folders(self, places: Iterable[str]) -> Iterator[str]:
        """The real paths of those of `places` that are folders."""
        for place in places:
            node = self._scene.resolve(place)
            if node is not None and node.is_directory:
                yield node.path

    def rpath(self, loader: Loader) -> tuple[str, ...]:
        """The folders in which those that `loader` loads are searched for as well: its DT_RPATH and what it inherits."""
        own = () if loader.elf.runpath else loader.elf.rpath
        return tuple(dict.fromkeys((*self._expanded(loader, own), *loader.inherited)))

    def find(self, name: str, loader: Loader) -> tuple[str, ...]:
        """The paths at which `loader` finds the library `name`: the first, and its variants for processors.

        They may be links. Empty where it is not there for the same kind of machine.
        """
        if "/" in name:
            return (name.strip("/"),) if self._fits(name, loader.elf) else ()
        runpath = self._expanded(loader, loader.elf.runpath)
        before = () if loader.elf.runpath else self.rpath(loader)
        for folder in (*before, *self._library_path, *runpath, *self.directories):
            if name in self._names(folder) and self._fits(f"{folder}/{name}", loader.elf):
                return (f"{folder}/{name}".strip("/"), *self._variants(folder, name))
        return ()

    def _names(self, folder: str) -> Container[str]:
        """The names in `folder`, looked up once."""
        names = self._opened.get(folder)
        if names is None:
            node = self._scene.resolve(folder)
            names = self._opened[folder] = (node.children or {}) if node is not None else {}
        return names

    def find_for_all(self, name: str) -> tuple[str, ...]:
        """The paths of the library `name`, for every kind of machine: in folders that all search, or at the path that it is."""
        if "/" in name:
            return (name.strip("/"),) if self._scene.resolve(name) is not None else ()
        paths = (f"{folder}/{name}" for folder in (*self._library_path, *self.directories))
        return tuple(path.strip("/") for path in paths if name and self._scene.resolve(path) is not None)

    def find_elsewhere(self, name: str, loader: Loader) -> tuple[str, ...]:
        """The paths of all libraries `name` for the same kind of machine, wherever they are."""
        return tuple(path for path in self._by_name.get(name, ()) if self._fits(path, loader.elf))

    def _fits(self, path: str, other: Elf) -> bool:
        """Whether a library for the same kind of machine is at `path`."""
        node = self._scene.resolve(path)
        found = self._scene.elf_files.get(node.path) if node is not None else None
        return found is not None and (found.machine, found.bits, found.big_endian) == (
            other.machine,
            other.bits,
            other.big_endian,
        )

    def _variants(self, folder: str, name: str) -> Iterator[str]:
        tops = [f"{folder}/{variant}" for variant in HWCAPS]
        node = self._scene.resolve(f"{folder}/glibc-hwcaps")
        if node is not None and node.children:
            tops += [f"{folder}/glibc-hwcaps/{variant}" for variant in sorted(node.children)]
        for top in tops:
            if self._scene.resolve(f"{top}/{name}") is not None:
                yield f"{top}/{name}"

    def _expanded(self, loader: Loader, folders: Iterable[str]) -> tuple[str, ...]:
        """`folders` of DT_RPATH or DT_RUNPATH with what their tokens stand for; relative ones depend on who starts it."""
        origin = "/" + loader.path.rpartition("/")[0]
        multiarch = MULTIARCH.get((loader.elf.machine, loader.elf.bits), "")
        libs = dict.fromkeys((f"lib/{multiarch}", "lib64", "lib"))
        platform = PLATFORMS.get(loader.elf.machine, "")
        found: dict[str, None] = {}
        for folder in islice(folders, MAX_FOLDERS):
            for lib in libs if "LIB" in folder else ("lib",):
                text = _replaced(folder, {"ORIGIN": origin, "LIB": lib, "PLATFORM": platform})
                if text.startswith("/"):
                    found[text] = None
        return tuple(found)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Name of a shared object or of a link to one -> where it is."""
        found: dict[str, list[str]] = {}
        elf_files = self._scene.elf_files
        for node in self._scene.tree.leaves:
            if ".so" not in node.name:
                continue
            target = self._scene.resolve(node.path) if node.entry.kind == SYMLINK else node
            elf = elf_files.get(target.path) if target is not None else None
            if elf is not None and elf.kind == SHARED:
                found.setdefault(node.name, []).append(node.path)
        return found


def _replaced(folder: str, values: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda match: values[match[1] or match[2]], folder)
