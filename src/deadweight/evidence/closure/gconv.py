"""Character sets: the modules that glibc's iconv(3) loads."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS
from deadweight.evidence.linker import Linker
from deadweight.evidence.locales import is_utf8, locales
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.elf import Elf
from deadweight.inventory.model import Package
from deadweight.tree.node import Node

GCONV = "gconv"

ONLY_THE_LOCALE = frozenset(
    {
        "bash",
        "rbash",
        "sh",
        "tar",
        "printf",
        "cmp",
        "diff",
        "diff3",
        "sdiff",
        "libidn2.so.0",
        "libunistring.so.2",
    }
    | {"libunistring.so.5", "libstdc++.so.6", "libinstrument.so", "libjdwp.so"}
)
"""Who converts only between Unicode or ASCII and the encoding of the locale: bash (lib/sh/unicode.c), GNU tar (src/utf8.c),
libidn2 (lib/lookup.c), libstdc++ (config/locale/gnu/numeric_members.cc), OpenJDK (EncodingSupport_md.c), and the others by
gnulib's unicodeio, propername and striconveh. Where all locales are UTF-8 they need no module.
"""


class GconvClosure:
    """Follows who converts between character sets."""

    name = "gconv"

    def open(self, scene: Scene) -> GconvFollower:
        return GconvFollower(scene)


class GconvFollower(Quiet):
    """Decides about all modules: they are needed together, since the names of character sets come from outside.

    What calls iconv_open needs them; so does the C library itself where a locale has another encoding than UTF-8.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        tops = [f"{folder}/gconv" for folder in Linker(scene).directories]
        self._folders = tuple(f"{top}/" for top in tops if scene.resolve(top) is not None)
        self._other = next((name for name in sorted(locales(scene)) if not is_utf8(name)), "")
        self._done = not self._folders

    def follow(self, node: Node) -> Iterator[Claim]:
        because = "" if self._done else self._reason(node)
        if because:
            self._done = True
            for folder in self._folders:
                yield from (Claim(found.path, GCONV, because) for found in self._scene.below(folder))

    def _reason(self, node: Node) -> str:
        elf = self._scene.elf_files.get(node.path)
        if elf is None:
            return ""
        if ("iconv_open" in elf.imports or elf.incomplete) and not _converts_only_the_locale(node, elf):
            return "it converts between character sets (iconv_open), which any input may name"
        if elf.soname == "libc.so.6" and self._other:
            return f"the C library converts what the locale {self._other} encodes"
        return ""

    def decides(self, node: Node, owner: Package | None) -> bool:
        return node.path.startswith(self._folders)


def _converts_only_the_locale(node: Node, elf: Elf) -> bool:
    if elf.program and node.path.rpartition("/")[0] not in PROGRAM_FOLDERS:
        return False
    return (elf.soname or node.name) in ONLY_THE_LOCALE
